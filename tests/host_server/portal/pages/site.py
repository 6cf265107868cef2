# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A portal with pages before a configuration server, and people who use them."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import requests
from argon2 import PasswordHasher
from sqlalchemy import Engine

from muster_server.config_server.app import create_app as create_config
from muster_server.outgoing import Rules
from muster_server.portal.app import create_app
from muster_server.portal.firmware_kit import FirmwareKit
from muster_server.portal.people import People
from muster_server.portal.service import Portal
from muster_server.store.engine import database_url, open_engine
from muster_server.store.migrations import migrate
from muster_server.store.people import PeopleStore
from muster_server.store.portal_tables import HEAD
from muster_server.store.secrets import SecretBox
from tests.host_server.config_server.field import PROFILE, SERVER_URL, Field
from tests.host_server.portal.api import SERVICE, call, hashes
from tests.host_server.serving import served

BOX = SecretBox(bytes(32))
ADMIN_TOKEN = "mst_" + "a" * 43
KIT = FirmwareKit(
    b'{"files": []}', {"ESP32_GENERIC": "Generic ESP32 module"}, {"ESP32_GENERIC": b"\xe9..."}
)
PASSWORD = "four plain words here"
# As quick as argon2id gets: the tests are not about its cost.
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
_PATIENCE_S = 30  # of a machine that others keep busy
_TOKEN = re.compile(r'name="form_token" value="([^"]*)"')


class Clock:
    """Unix seconds that pass when a test says so."""

    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Site:
    """The portal's URL, its people, and the field behind it."""

    url: str
    people: People
    field: Field
    engine: Engine
    clock: Clock

    def invited(self, role: str, by: str = "ada") -> str:
        """Return a code that makes a user of this role."""
        with PeopleStore(self.engine, BOX).transaction() as records:
            user = records.user_named(by)
        assert user is not None
        return self.people.invite(user, role)

    def owner_of(self, name: str) -> str:
        with PeopleStore(self.engine, BOX).transaction() as records:
            user = records.user_named(name)
        assert user is not None
        return user.owner

    def joined(self, name: str, role: str) -> "Person":
        """A person of this role who has signed in; the first is an administrator named ada."""
        code = self.people.first_invitation() if name == "ada" else self.invited(role)
        assert code is not None
        person = Person(self.url)
        assert person.post("/join", code=code, name=name, password=PASSWORD).status_code == 303
        return person


@dataclass
class Person:
    """A browser without script, as far as HTTP goes."""

    url: str
    session: requests.Session = field(default_factory=requests.Session)

    def get(self, path: str) -> requests.Response:
        return self.session.get(self.url + path, timeout=_PATIENCE_S, allow_redirects=False)

    def post(self, path: str, **fields: str) -> requests.Response:
        """Send a form as a page of the portal would."""
        fields.setdefault("form_token", self.form_token())
        headers = {"Origin": self.url}
        return self.session.post(
            self.url + path,
            data=fields,
            headers=headers,
            timeout=_PATIENCE_S,
            allow_redirects=False,
        )

    def form_token(self) -> str:
        found = _TOKEN.search(self.get("/account").text) or _TOKEN.search(self.get("/join").text)
        return found[1] if found else ""

    @property
    def cookie(self) -> str:
        return str(self.session.cookies["muster"])


@contextmanager
def opened(
    place: Field, folder: Path, told: Rules | None = None, kit: FirmwareKit | None = KIT
) -> Iterator[Site]:
    """The site before the field's own rules, with one profile of the house.

    `told`: to which addresses inside webhooks may lead; `kit`: what boards are prepared with.
    """
    config = create_config(
        place.engine,
        BOX,
        accepted_hashes=lambda: hashes(SERVICE),
        platforms=place.platforms,
        public_url=SERVER_URL,
    )
    place.clock.now = time.time()  # as the configuration server, which has a clock of its own
    engine, clock = open_engine(database_url(folder, "portal")), Clock()
    migrate(engine, "muster_server.portal", HEAD)
    people = People(PeopleStore(engine, BOX), clock, hasher=QUICK)
    with served(config) as config_url:
        portal = Portal(config_url, SERVICE)
        with served(create_app(portal, lambda: hashes(ADMIN_TOKEN), people, told, kit)) as url:
            call("POST", url + "/v1/profiles", PROFILE, ADMIN_TOKEN)
            yield Site(url, people, place, engine, clock)
    engine.dispose()
