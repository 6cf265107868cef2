# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A device, its networks and its servers, which all go by the board's clock."""

import asyncio
import base64
import gc
import shutil
import threading
import time
import warnings
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests
from sqlalchemy import Engine

from muster_harness.air.air import Air
from muster_harness.deploy.firmware import write_identity
from muster_harness.units.emulated import EmulatedBoard
from muster_harness.wire.repl import REPL
from muster_server.certificate_renewal import Renewable
from muster_server.config_server.app import create_app as create_config
from muster_server.config_server.platform_adapter import PlatformChoice
from muster_server.label import Label, new_label
from muster_server.platform_server.app import create_app as create_platform
from muster_server.platform_server.bounds import Bounds
from muster_server.roles import Role
from muster_server.serve import bound, uvicorn_servers
from muster_server.settings import Address, Certificate
from muster_server.store.config_tables import HEAD as CONFIG_HEAD
from muster_server.store.engine import database_url, open_engine
from muster_server.store.migrations import migrate
from muster_server.store.platform import HEAD as PLATFORM_HEAD
from muster_server.store.platform import PlatformStore
from muster_server.store.secrets import SecretBox
from muster_server.tokens import new_token, token_hash
from tests.certificates import Authority

ROOT = Path(__file__).resolve().parents[2]
NAME = "m2m.example"
PASSWORD = "correct horse battery"
OWNER = "admin"
_READY_S = 30
_NOTICED_S = 0.3  # by the servers: connections whose board is off
_REQUEST_S = 30
# The owner's application: tells the heap in use on the serial line, and publishes it.
_MAIN = """
import asyncio, gc, muster

async def app(session):
    while True:
        await asyncio.sleep(45)  # what is due at this moment, too, has its modules loaded
        gc.collect()
        print("SOAK heap", gc.mem_alloc())
        try:
            await session.publish("heap", gc.mem_alloc())
        except Exception as e:
            print("SOAK unpublished", e)
        await asyncio.sleep(session.config["app"]["interval_s"])

muster.run(app)
"""
# What the deployment wrote about the board, without button and LED.
_BARE = """
import json
with open("/muster.json") as f: facts = json.load(f)
facts["button"] = facts["led"] = None
with open("/muster.json", "w") as f: json.dump(facts, f)
"""


class Server:
    """An app on addresses of its own, in a thread; it can be stopped and started again."""

    def __init__(self, app: Any, addresses: list[Address], tls: Renewable | None = None):
        self._app = app
        self._addresses = addresses
        self._tls = tls
        self._stop: Any = None

    def start(self) -> None:
        sockets = [bound(address, "config") for address in self._addresses]
        plain, secure = ([], sockets) if self._tls else (sockets, [])
        role = Role("config", self._app, plain, secure, self._tls)
        ((server, listeners),) = uvicorn_servers(role)
        thread = threading.Thread(target=asyncio.run, args=(server.serve(sockets=listeners),))
        thread.start()
        deadline = time.monotonic() + _READY_S
        while not server.started:
            if time.monotonic() > deadline:
                raise TimeoutError("a server does not start")
            time.sleep(0.005)

        def stop() -> None:
            server.should_exit = True
            thread.join(_READY_S)

        self._stop = stop

    def stop(self) -> None:
        if self._stop:
            self._stop()
            self._stop = None


class World:
    """`flash`: a board that has the firmware. Everything ends with the block."""

    def __init__(self, directory: Path, flash: Path, lease_s: int) -> None:
        self._closers = ExitStack()
        self.directory = directory
        shutil.copytree(flash, directory / "board")
        self.air = self._closers.enter_context(Air())
        self.onboarding = self.air.add_access_point("MUSTER-soak", channel=6, rssi=-48)
        self.operational = self.air.add_access_point(
            "factory", password=PASSWORD, channel=11, rssi=-55
        )
        self.operational.names[NAME] = self.operational.gateway
        self.board = self._closers.enter_context(
            EmulatedBoard(
                directory / "board",
                air=self.air,
                facts=ROOT / "boards" / "EMULATED.toml",
                virtual_time=True,
            )
        )
        self.began = self.now()
        self.label: Label = new_label()
        self._token, self._lease_s = new_token(), lease_s
        self._authority = Authority()
        (directory / "ca.pem").write_text(self._authority.pem)
        self._engines = {
            role: self._database(role, package, head)
            for role, package, head in (
                ("config", "muster_server.config_server", CONFIG_HEAD),
                ("platform", "muster_server.platform_server", PLATFORM_HEAD),
            )
        }
        self._make_servers()

    def _database(self, role: str, package: str, head: str) -> Engine:
        engine = open_engine(database_url(self.directory, role))
        self._closers.callback(engine.dispose)
        migrate(engine, package, head)
        return engine

    def _make_servers(self) -> None:
        gateway = self.operational.gateway
        hashes = frozenset({token_hash(self._token)})
        platform = create_platform(
            PlatformStore(self._engines["platform"]),
            lambda: hashes,
            bounds=Bounds(life_s=self._lease_s),
            clock=self.now,
        )
        self._tls = Renewable("platform", self._issued(days=3650))
        self.platform = Server(platform, [Address(gateway, 8422)], self._tls)
        own = f"https://{gateway}:8422"
        ca_file = str(self.directory / "ca.pem")
        self._choice = PlatformChoice(f"https://{NAME}:8422", own, self._token, ca_file)
        self._address = gateway
        self.config = self._config_server(8421, self.onboarding.gateway)

    def _config_server(self, port: int, *more: str) -> Server:
        """On the one database, and known to devices at this port."""
        self.config_url = f"http://{self._address}:{port}"
        app = create_config(
            self._engines["config"],
            SecretBox(bytes(32)),
            accepted_hashes=lambda: frozenset({token_hash(self._token)}),
            platforms=self._choice,
            public_url=self.config_url,
            clock=self.now,
            monotonic=self.now,
        )
        return Server(app, [Address(host, port) for host in (self._address, *more)])

    def __enter__(self) -> Self:
        self.platform.start()
        self.config.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.board.power_off()
        self.operational.cut()
        self.onboarding.cut()
        time.sleep(_NOTICED_S)
        self.config.stop()
        self.platform.stop()
        self._closers.close()
        # A board that is off leaves its connections without a word, and a server in this process
        # may still have waited for it.
        with warnings.catch_warnings(action="ignore", category=ResourceWarning):
            gc.collect()

    # Time

    def now(self) -> float:
        return self.board.clock.time()

    @property
    def day(self) -> float:
        """Days since the beginning, in the board's world."""
        return (self.now() - self.began) / 86400

    # Deeds of an operator

    def _issued(self, days: float) -> Certificate:
        begin = datetime.now(UTC) - timedelta(hours=1)
        end = datetime.fromtimestamp(self.now(), UTC) + timedelta(days=days)
        names = (NAME, self.operational.gateway)
        chain, key = self._authority.issue(self.directory, names, begin, end)
        return Certificate(chain, key, "--platform-cert")

    def renew_certificate(self, days: float) -> None:
        """From the next connection on the platform shows one that lasts so long."""
        self._issued(days)  # into the same files
        self._tls.look()

    def migrate(self, port: int) -> None:
        """A second configuration server on the same data; devices are sent there."""
        self.old_config, self.config = self.config, self._config_server(port)
        self.config.start()
        # Whoever asks the old one is told the new one's address: it is the same data.
        self.old_config.stop()
        address = [Address(self._address, 8421)]
        self.old_config = Server(self.config._app, address)
        self.old_config.start()

    def ask(self, method: str, path: str, document: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self._token}"}
        answer = requests.request(
            method, self.config_url + path, json=document, headers=headers, timeout=_REQUEST_S
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def device(self) -> Any:
        return self.ask("GET", f"/v1/devices/{self.label.device_id}?owner={OWNER}")

    def last_reading(self) -> Any:
        """The newest on the platform, as its administrator sees it."""
        originator = self.device()["account"]["originator"]
        headers = {"X-M2M-Origin": "CAdmin", "X-M2M-RI": "soak", "X-M2M-RVI": "4"}
        answer = requests.get(
            f"https://{self._address}:8422/cse-in/{originator}/data/la",
            headers=headers | {"Authorization": f"Bearer {self._token}"},
            verify=str(self.directory / "ca.pem"),
            timeout=_REQUEST_S,
        )
        answer.raise_for_status()
        return answer.json()["m2m:cin"]

    def onboard(self, sync_s: int, interval_s: int, is_bare: bool, main: str = _MAIN) -> None:
        """All nine steps, with this application on the board."""
        self.board.power_on()
        self.board.expect(rb">>> ", 20)
        write_identity(self.board.port, self.label.device_id, self.label.secret)
        with REPL(self.board.port) as repl:
            repl.exec(f"with open('/main.py', 'w') as f: f.write({main!r})")
            if is_bare:
                repl.exec(_BARE)
        self.board.power_off()
        self.ask("POST", "/v1/profiles", self.profile(sync_s, interval_s))
        document = {"label": self.label.qr_text, "profile": "soak"}
        self.ask("POST", f"/v1/devices?owner={OWNER}", document)
        self.board.power_on()
        self.board.expect(rb"life committed version 1", 120)

    def profile(self, sync_s: int, interval_s: int) -> dict[str, Any]:
        return {
            "name": "soak",
            "networks": [{"ssid": "factory", "psk": PASSWORD}],
            "platform": {
                "url": f"https://{NAME}:8422",
                "cse": "cse-in",
                "api": "Norg.example.soak",
                "ca": base64.b64encode(self._authority.der).decode(),
            },
            "app": {"interval_s": interval_s},
            "country": "DE",
            "policy": {"sync_s": sync_s},
        }
