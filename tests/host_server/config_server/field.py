# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A configuration server's rules on a database in memory, with devices and a platform to match."""

import json
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from noise.connection import NoiseConnection
from sqlalchemy import Engine

from muster_server.config_server import bundle as form
from muster_server.config_server.bulk import BulkService
from muster_server.config_server.bundles import BundleService
from muster_server.config_server.devices import DeviceService
from muster_server.config_server.jobs import Jobs
from muster_server.config_server.password_change import PasswordChange
from muster_server.config_server.platform_adapter import (
    AllowListPlatform,
    Home,
    PlatformAdapter,
    Token,
)
from muster_server.config_server.platform_view import PlatformView
from muster_server.config_server.presence import Presence
from muster_server.config_server.profile_history import ProfileHistory
from muster_server.config_server.profiles import ProfileService
from muster_server.config_server.receipts import ReceiptService
from muster_server.config_server.rollouts import RolloutService
from muster_server.config_server.sync import SyncService
from muster_server.config_server.tasks import TaskService
from muster_server.config_server.timeline import TimelineService
from muster_server.config_server.versions import Versions
from muster_server.config_server.worker import Worker
from muster_server.errors import NoAnswer
from muster_server.label import Label, new_label
from muster_server.store.config import ConfigStore
from muster_server.store.config_tables import metadata
from muster_server.store.engine import MEMORY, POSTGRES, Database, open_engine
from muster_server.store.history import Moment
from muster_server.store.secrets import SecretBox
from muster_server.store.sql import Sql, insertion
from tests.wire.syncs import BLANK

OWNER = "admin"
PLATFORM_URL = "http://127.0.0.1:8422"
SERVER_URL = "http://127.0.0.1:8421"

PROFILE: dict[str, Any] = {
    "name": "press",
    "networks": [{"ssid": "factory", "psk": "correct horse"}],
    "platform": {
        "url": PLATFORM_URL,
        "cse": "cse-in",
        "api": "Norg.example.press",
        "insecure": True,
    },
    "country": "DE",
}


class Clock:
    """Time that passes when the test says so."""

    def __init__(self, now: float = 1_795_430_400.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def pass_s(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class FakePlatform:
    """Keeps accounts as the platform does, and can be down."""

    is_down: bool = False
    calls: int = 0
    loses_answers: bool = False  # to who asks for a token, which is made all the same
    meanwhile: Callable[[], object] = lambda: None  # what happens before such an answer comes
    view: PlatformView = PlatformView()
    views: dict[str, PlatformView] | None = None  # by originator, in place of one for all
    tokens: dict[str, dict[str, str]] = field(default_factory=dict)
    described: dict[str, dict[str, Any]] = field(default_factory=dict)
    policies: dict[str, str] = field(default_factory=dict)  # of readers
    members: dict[str, set[str]] = field(default_factory=dict)  # of policies

    def make_token(self, originator: str, token_id: str) -> Token | None:
        self._check()
        token = Token(token_id, secrets.token_hex(16))
        self.tokens.setdefault(originator, {})[token.id] = token.secret
        self.meanwhile()
        if self.loses_answers:
            raise NoAnswer("the platform did not answer in time")
        return token

    def open_reader(self, originator: str, policy: str, token_id: str, kind: str) -> Token:
        self._check()
        self.policies[originator] = policy
        return Token(token_id, secrets.token_hex(16))

    def name_in_policy(self, policy: str, originators: list[str]) -> None:
        self._check()
        self.members.setdefault(policy, set()).update(originators)

    def revoke_token(self, originator: str, token_id: str) -> None:
        self._check()
        self.tokens[originator].pop(token_id, None)

    def close_account(self, originator: str) -> None:
        self._check()
        self.tokens.pop(originator, None)
        self.policies.pop(originator, None)

    def describe(self, originator: str, device_id: str, facts: dict[str, Any]) -> None:
        self._check()
        self.described[device_id] = facts | {"originator": originator}

    def seen(self, originator: str) -> PlatformView:
        self._check()
        if self.views is not None:
            return self.views.get(originator, PlatformView())
        return self.view

    def _check(self) -> None:
        self.calls += 1
        if self.is_down:
            raise NoAnswer("the platform is down")


@dataclass
class FakePlatforms:
    """One platform that has accounts, at the URL that it has now."""

    platform: FakePlatform
    url: str = PLATFORM_URL

    def has_accounts(self, url: str) -> bool:
        return url == self.url

    @property
    def home_url(self) -> str:
        return self.url

    @property
    def home_place(self) -> tuple[str, str | None]:
        return self.url, None

    def home(self) -> Home:
        return self.platform

    def adapter_for(self, url: str) -> PlatformAdapter:
        return self.platform if url == self.url else AllowListPlatform()

    def keeper_of(self, url: str, *, has_token: bool) -> PlatformAdapter:
        return self.platform if has_token else self.adapter_for(url)


class Field:
    """All services of one configuration server. A database in memory is one connection, so it is
    for one thread at a time.
    """

    def __init__(
        self,
        url: str = MEMORY,
        engine: Engine | None = None,
        store: ConfigStore | None = None,
        server_url: str = SERVER_URL,
    ) -> None:
        self.engine = engine or open_engine(url)
        if engine is None and self.engine.name != POSTGRES:  # which comes migrated
            metadata.create_all(self.engine)
        self.clock = Clock()
        self.platform = FakePlatform()
        self.store = store or ConfigStore(self.engine, SecretBox(bytes(32)))
        self.platforms = FakePlatforms(self.platform)
        self.versions = Versions(self.store, self.platforms, server_url, self.clock)
        self.devices = DeviceService(self.store, self.versions, self.clock, self.clock)
        self.bulk = BulkService(self.store, self.clock)
        self.tasks = TaskService(self.store, self.bulk, self.clock)
        self.profiles = ProfileService(
            self.store, self.platforms.has_accounts, server_url, self.clock
        )
        self.history = ProfileHistory(self.store, self.profiles, self.versions, self.clock)
        self.rollouts = RolloutService(self.store, self.versions, self.devices.views, self.clock)
        self.passwords = PasswordChange(self.store, self.profiles, self.clock)
        self.worker = Worker(self.store, (self.tasks, self.rollouts), self.clock)
        self.sync = SyncService(self.store, self.versions, self.clock, self.clock)
        self.stopping = threading.Event()
        self.jobs = Jobs(self.store, self.platforms, self.clock, self.stopping)
        self.bundles = BundleService(self.store, self.versions, self.clock)
        self.receipts = ReceiptService(
            self.store, self.platforms.has_accounts, self.clock, self.clock
        )
        self.presence = Presence(self.store, self.platforms, self.clock, self.clock, self.stopping)
        self.timelines = TimelineService(self.store, self.presence, self.sync.refusals, self.clock)

    def use_expiry(self, expiry: Callable[[], float]) -> None:
        """Let claims expire by this clock from now on."""
        for service in (self.devices, self.bulk, self.sync, self.presence):
            service._expiry = expiry

    def registered(self, label: Label | None = None) -> "Device":
        """A device whose label its owner has typed at the portal."""
        device = Device(self, label or new_label())
        self.devices.register(device.label.qr_text, "press", "press 4", OWNER)
        return device

    def work(self) -> None:
        """Have the worker do all that is to be done."""
        while self.worker.step():
            pass

    def history_of(self, device: "Device") -> list[Moment]:
        """Return what was written down of the device."""
        with self.store.transaction() as records:
            return records.history.of(device.id, OWNER)

    def show_at_platform(self, *whats: str) -> None:
        """The platform sees the device now, besides what it has seen."""
        at = self.clock()
        seen = [Moment("platform", at, what, 9, until=at) for what in whats or ("registered",)]
        self.platform.view = PlatformView((*self.platform.view.moments, *seen))

    def set_password(self, password: str) -> None:
        """The owner edits the profile."""
        network = {"ssid": "factory", "psk": password}
        self.profiles.replace("press", PROFILE | {"networks": [network]})


Rows = dict[str, tuple[list[str], list[tuple[Any, ...]]]]


def all_rows(engine: Engine) -> Rows:
    """The columns and rows of each table."""
    found = {}
    with Database(engine).transaction() as connection:
        sql = Sql(connection)
        for table in metadata.sorted_tables:
            columns = [f'"{column.name}"' for column in table.columns]
            rows = sql.rows(f"SELECT {', '.join(columns)} FROM {table.name}")  # noqa: S608
            found[table.name] = ([c.name for c in table.columns], [tuple(row) for row in rows])
    return found


def put_back(engine: Engine, kept: Rows) -> None:
    """Have the tables hold these rows, and no others."""
    with Database(engine).transaction() as connection:
        sql = Sql(connection)
        names = [table.name for table in reversed(metadata.sorted_tables)]
        if engine.name == POSTGRES:
            sql.run(f"TRUNCATE {', '.join(names)}")
        else:
            for name in names:
                sql.run(f"DELETE FROM {name}")  # noqa: S608 - our own names
        for table in metadata.sorted_tables:
            columns, rows = kept[table.name]
            sql.run_many(insertion(table.name, columns), rows)


@contextmanager
def open_field(url: str = MEMORY) -> Iterator[Field]:
    """A field with the profile "press"."""
    opened = Field(url)
    opened.profiles.add(PROFILE)
    yield opened
    opened.engine.dispose()


class Device:
    """The device's end of the sync: knows its label, and remembers what it was told."""

    def __init__(self, place: Field, label: Label) -> None:
        self.place = place
        self.label = label
        self.echo: str | None = None
        self.configs: dict[int, dict[str, Any]] = {}
        self.committed = 0
        self.last_message = b""
        self.address = "127.0.0.1"

    @property
    def id(self) -> str:
        return self.label.device_id

    def sync(self, k: str = "label", **changes: Any) -> dict[str, Any]:
        """Report and obey: the directive."""
        state = {"config": self.committed, "state": "committed" if self.committed else "blank"}
        noise, self.last_message = self.sealed(k, BLANK | {"echo": self.echo} | state | changes)
        answer = self.place.sync.answer(self.id, k, self.last_message, self.address)
        directive: dict[str, Any] = json.loads(noise.read_message(answer))
        self.echo = directive["nonce"]
        if directive["action"] == "configure":
            self.configs[directive["config"]["version"]] = directive["config"]
        return directive

    def sealed(self, k: str, report: dict[str, Any] | bytes) -> tuple[NoiseConnection, bytes]:
        """Message 1 with this report."""
        noise = NoiseConnection.from_name(b"Noise_NNpsk0_25519_ChaChaPoly_SHA256")
        noise.set_prologue(f"muster/1/{self.id}/{k}")
        noise.set_psks(psks=[self.key(k)])
        noise.set_as_initiator()
        noise.start_handshake()
        payload = report if isinstance(report, bytes) else json.dumps(report).encode()
        return noise, bytes(noise.write_message(payload))

    def key(self, k: str) -> bytes:
        """The psk for this k."""
        from base64 import b64decode

        if k == "label":
            return self.label.key("sync-psk")
        if k == "adopted":
            server = self.configs[self.committed]["config_server"]
            return self.label.adopted_key(b64decode(server["adoption"]))
        return b64decode(self.configs[int(k)]["config_server"]["key"])

    def confirm(self, version: int) -> dict[str, Any]:
        """The sync after step 9 has succeeded; the device commits."""
        directive = self.sync(str(version), state="trial")
        self.committed = version
        return directive

    def onboard(self) -> int:
        """Everything from first contact to commit: the version."""
        version: int = self.sync()["config"]["version"]
        self.confirm(version)
        return version

    def apply_bundle(self, outcome: str = "ok") -> str:
        """A bundle is made, carried, and tried: what the device shows."""
        made = self.place.bundles.make(self.id, OWNER)
        text, _ = self.place.bundles.hand_out(self.id, OWNER)
        self.configs[made["version"]] = form.opened(self.label, text).config
        if outcome == "ok":
            self.committed = made["version"]
        key = self.label.key("receipt-key")
        return form.receipt(key, made["version"], outcome, form.digest_of(text))

    def tokens(self) -> list[str]:
        """Return the tokens that are good when everything that is to be done has been."""
        self.place.jobs.run_due()
        originator = self.shown()["account"]["originator"]
        return list(self.place.platform.tokens.get(originator, {}).values())

    def shown(self) -> dict[str, Any]:
        """Return what the owner sees."""
        return self.place.devices.shown(self.id, OWNER)
