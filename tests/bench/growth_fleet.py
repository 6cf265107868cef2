# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A fleet of any size on either store, with the rules of the servers on top of it.

Eight devices onboard at real servers, which then end; all others are their clones.
"""

import json
import tempfile
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from noise.connection import NoiseConnection
from sqlalchemy import Engine

from muster_server.config_server.overview import OverviewService
from muster_server.platform_server.accounts import Accounts
from muster_server.platform_server.addressing import CSE
from muster_server.platform_server.bounds import Bounds
from muster_server.platform_server.primitives import Content, Operation, Request
from muster_server.platform_server.service import Platform
from muster_server.private_files import read_private
from muster_server.store.claims import Claim
from muster_server.store.config import ConfigStore
from muster_server.store.engine import database_url, open_engine
from muster_server.store.forms import FORMS
from muster_server.store.migrations import migrate
from muster_server.store.platform import PlatformStore, Rows, Token
from muster_server.store.platform_search import Filter
from muster_server.store.secrets import SecretBox, decoded_keys
from muster_server.store.sql import Sql
from muster_server.tokens import token_hash
from tests import postgres
from tests.bench.clones import OWNER, clone, device_id, identity, token_of
from tests.bench.fleet import TOKEN, Servers, add_profile, started
from tests.host_server.config_server.field import Field
from tests.wire.syncs import BLANK

PROFILE = "fleet"
_MODELS = 8
# A server of 8 GB or so: by its own settings it would have 32 MB for what lies anywhere.
_SERVER = {"shared_buffers": "2GB", "max_wal_size": "8GB"}
_SETTLED_S = 60
_TOLD_OF_ITSELF = ("model", "board", "firmware", "micropython", "hw")
_ADMIN, _READER = "the-platforms-administrator", "the-readers-token"  # good here alone


class Fleet:
    """A fleet, and the rules of the configuration server and the platform on them."""

    def __init__(self, folder: Path, store: str | None, devices: int) -> None:
        self.devices = devices
        self.urls = {role: database_url(folder / "data", role, store) for role in FORMS}
        for role, url in self.urls.items():
            engine = open_engine(url)
            migrate(engine, *FORMS[role])
            engine.dispose()
        self._engines = {role: open_engine(url) for role, url in self.urls.items()}
        box = SecretBox(*decoded_keys(read_private(folder / "data" / "secret.key"), "the file"))
        self.store = ConfigStore(self._engines["config"], box)
        server_url, platform_url = self._places()
        self.place = Field(engine=self._engines["config"], store=self.store, server_url=server_url)
        self.place.platforms.url = platform_url
        self.place.clock.now = time.time()
        self.overview = OverviewService(self.store, self.place.clock)
        self.platform_store = PlatformStore(self._engines["platform"])
        accounts = Accounts(
            self.platform_store,
            lambda: frozenset({token_hash(_ADMIN)}),
            self.place.clock,
            Bounds(),
        )
        self.platform = Platform(self.platform_store, accounts, self.place.clock, Bounds(), CSE())
        with self.platform_store.transaction() as rows:
            if not rows.has_account("Creader"):
                accounts_of_a_reader(rows)

    @property
    def engine(self) -> Engine:
        """The configuration server's."""
        return self._engines["config"]

    def close(self) -> None:
        for engine in self._engines.values():
            engine.dispose()

    def _places(self) -> tuple[str, str]:
        """The URLs of the servers at which the models onboarded, as their configurations say."""
        with self.store.reading() as records:
            claim = records.claims_of(device_id(0))[0]
            document = records.versions_of(claim.id)[-1].document
        return document["config_server"]["url"], document["platform"]["url"]

    # What devices and people ask

    def message(self, number: int) -> tuple[str, str, bytes]:
        """A device's id, its k, and the message with which it checks in, proving its version."""
        name = device_id(number)
        with self.store.reading() as records:
            claim = records.claims_of(name)[0]
            version = records.versions_of(claim.id)[-1]
        noise = NoiseConnection.from_name(b"Noise_NNpsk0_25519_ChaChaPoly_SHA256")
        noise.set_prologue(f"muster/1/{name}/{version.number}")
        noise.set_psks(psks=[b64decode(version.document["config_server"]["key"])])
        noise.set_as_initiator()
        noise.start_handshake()
        epoch = self.place.sync._epoch
        epoch.refresh()
        told = {"echo": epoch.told(claim.nonce), "config": version.number, "state": "committed"}
        report = BLANK | told | {"timeline": []} | _facts_of(claim)
        return name, str(version.number), bytes(noise.write_message(json.dumps(report).encode()))

    def checked_in(self, message: tuple[str, str, bytes], address: str) -> bytes:
        """The answer to that."""
        return self.place.sync.answer(*message, address)

    def published(self, number: int, content: str) -> Any:
        """A device leaves a reading in its container."""
        originator = identity(number)["originator"]
        new = {"m2m:cin": {"con": content}}
        return self.platform.answer(
            Request(
                Operation.CREATE,
                f"cse-in/{originator}/data",
                originator,
                "4",
                Content.ATTRIBUTES,
                ty=4,
                document=new,
            ),
            token_of(number),
        )

    def retrieved(self, number: int, path: str = "data") -> Any:
        """A device looks at its own AE, or at what is under it."""
        originator = identity(number)["originator"]
        return self.platform.answer(
            Request(
                Operation.RETRIEVE,
                f"cse-in/{originator}/{path}".rstrip("/"),
                originator,
                "4",
                Content.ATTRIBUTES,
            ),
            token_of(number),
        )

    def discovered(self, who: str = "CAdmin", **wanted: Any) -> list[str]:
        """The addresses of what fits, under the CSEBase."""
        token = {"CAdmin": _ADMIN, "Creader": _READER}[who]
        answer = self.platform.answer(
            Request(
                Operation.RETRIEVE,
                "cse-in",
                who,
                "4",
                Content.ADDRESSES,
                is_discovery=True,
                filter=Filter(**{"limit": 50, **wanted}),
            ),
            token,
        )
        found: list[str] = answer.document["m2m:uril"]
        return found


def accounts_of_a_reader(rows: Rows) -> None:
    """An account that may read what all devices of the owner have at the platform."""
    rows.add_account("Creader", "20261130T000000")
    rows.add_token(Token("of-the-reader", "Creader", token_hash(_READER), "20261130T000000"))
    rows.readers.put("Creader", f"owner:{OWNER}")


def _facts_of(claim: Claim) -> dict[str, Any]:
    """Return what the device has told of itself, which it tells again."""
    facts = claim.facts or {}
    return {name: facts[name] for name in _TOLD_OF_ITSELF if name in facts}


def filled(folder: Path, store: str | None, devices: int) -> Fleet:
    """A fleet in this folder, and in the store that is named."""
    token_file = folder / "token"
    token_file.touch(0o600)
    token_file.write_text(TOKEN)
    options = () if store is None else ("--store", store)
    with started(folder, token_file, options=options) as running:
        add_profile(running)
        running.fleet("onboard", "--devices", str(_MODELS), "--clients", "1", "--profile", PROFILE)
        _settle(running, folder, store)
    urls = {role: database_url(folder / "data", role, store) for role in FORMS}
    engines = {role: open_engine(url) for role, url in urls.items()}
    key = read_private(folder / "data" / "secret.key")
    box = SecretBox(*decoded_keys(key, "the file"))
    with engines["config"].connect() as connection:
        rows = Sql(connection).rows("SELECT device_id FROM claim ORDER BY created_at")
        models = [row[0] for row in rows]
    clone(engines, box, models, devices)
    for engine in engines.values():
        engine.dispose()
    return Fleet(folder, store, devices)


def _settle(running: Servers, folder: Path, store: str | None) -> None:
    """Wait until the platform has been told of all."""
    engine = open_engine(database_url(folder / "data", "config", store))
    deadline = time.monotonic() + _SETTLED_S
    text = "SELECT (SELECT count(*) FROM chore), (SELECT count(*) FROM told_object)"
    try:
        while time.monotonic() < deadline:
            with engine.connect() as connection:
                jobs, told = Sql(connection).rows(text)[0]
            if jobs == 0 and told >= _MODELS:
                return
            time.sleep(0.2)
    finally:
        engine.dispose()
    raise RuntimeError("the platform was not told of the devices")


@contextmanager
def fleets(sizes: tuple[int, ...], store: str) -> Iterator[dict[int, Fleet]]:
    """Fleets of these sizes on "sqlite" or "postgres", in a folder that goes with the block."""
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="muster-growth-")))
        is_postgres = store == "postgres"
        server = stack.enter_context(postgres.running("on", **_SERVER)) if is_postgres else None
        made = {}
        for size in sizes:
            folder = root / str(size)
            folder.mkdir()
            began = time.monotonic()
            url = server.database() if server is not None else None
            made[size] = filled(folder, url, size)
            print(f"{size} devices in {time.monotonic() - began:.0f} s", flush=True)
            stack.callback(made[size].close)
        yield made
