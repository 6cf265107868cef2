# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The three servers of the use case, each in a process of its own, as an operator starts them."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Protocol, Self

from muster_harness.log import Log
from tests.system.forked import Forked

_READY_S = 60.0  # three interpreters start at once, perhaps on a busy machine
_STOP_S = 5.0


class ServerProcess:
    """One `muster serve --role …`; what it says goes to a file, for people and for the search, and
    to a test's log if there is one."""

    def __init__(
        self, role: str, arguments: list[str], log: Path, shared: Log | None = None
    ) -> None:
        self.role = role
        self.log = log
        self.shared = shared
        self._arguments = ["serve", "--role", role, *arguments]
        self._process: Forked | None = None

    def start(self) -> None:
        """Starts the process without waiting for it."""
        with self.log.open("ab") as log:
            self._offset = log.tell()
        is_shared = self.shared is not None
        process = Forked(self._arguments, None if is_shared else self.log, is_shared)
        self._process = process
        if self.shared is not None and process.output is not None:
            self._reader = threading.Thread(
                target=self._pass_on, args=(process.output, self.shared), daemon=True
            )
            self._reader.start()

    def _pass_on(self, output: BinaryIO, shared: Log) -> None:
        with output, self.log.open("ab", buffering=0) as log:
            for line in output:
                log.write(line)
                shared.note(self.role, line.decode(errors="replace"))

    def wait_ready(self) -> None:
        """Waits for the line that says so; raises RuntimeError with the log if there is none."""
        ready = f"{self.role} ready".encode()
        deadline = time.monotonic() + _READY_S
        while ready not in self._said():
            if self._process is None or self._process.poll() is not None:
                raise RuntimeError(f"{self.role} ended at its start:\n{self._said().decode()}")
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.role} is not ready within {_READY_S} s; see {self.log}")
            time.sleep(0.01)

    def _said(self) -> bytes:
        with self.log.open("rb") as log:
            log.seek(self._offset)
            return log.read()

    def ask_to_stop(self) -> None:
        if self._process is not None:
            self._process.terminate()

    def stop(self) -> None:
        """Asks it to end, and ends it if it does not."""
        if self._process is None:
            return
        self.ask_to_stop()
        if not self._process.wait(_STOP_S):
            self._process.kill()
            self._process.wait(_STOP_S)
        if self.shared is not None:
            self._reader.join(_STOP_S)
        self._process = None


class Server(Protocol):
    """A server that a story starts and stops."""

    def start(self) -> None: ...

    def wait_ready(self) -> None: ...

    def ask_to_stop(self) -> None: ...

    def stop(self) -> None: ...


class Platform(Server, Protocol):
    """A platform, and what the others have to know of it."""

    profile: dict[str, Any]  # of a profile's "platform": the URL, and whom to trust
    config_options: list[str]  # of the configuration server
    url: str  # for this machine
    ca_file: str | None
    has_accounts: bool  # kept by the configuration server; its administrator is the platform's


# Makes a platform in a directory on an address, with options that all servers have.
MakePlatform = Callable[[Path, str, list[str]], Platform]


class OwnPlatform(ServerProcess):
    """The product's own platform. Over http, which a profile for development has to say."""

    ca_file: str | None = None
    has_accounts = True

    def __init__(self, directory: Path, address: str, common: list[str]) -> None:
        self.url = f"http://{address}:8422"
        self.profile: dict[str, Any] = {"url": self.url, "insecure": True}
        self.config_options = ["--platform-url", self.url, "--platform-public-url", self.url]
        options = [*common, "--platform-listen", f"{address}:8422"]
        super().__init__("platform", options, directory / "platform.log")


class Servers:
    """Portal, configuration server and platform on one data directory.

    `home_address` is where portal and configuration server are; by itself that is the operational
    network.
    """

    def __init__(
        self,
        directory: Path,
        onboarding_address: str,
        operational_address: str,
        make_platform: MakePlatform = OwnPlatform,
        log: Log | None = None,
        home_address: str | None = None,
    ) -> None:
        home_address = home_address or operational_address
        data = directory / "servers"
        data.mkdir(mode=0o700)
        self.data = data
        self.token_file = data / "administrator.token"
        self.portal_url = f"http://{home_address}:8420"
        self.config_url = f"http://{home_address}:8421"
        common = ["--data", str(data), "--admin-token-file", str(self.token_file)]
        config_listens = [
            argument
            for address in dict.fromkeys([onboarding_address, home_address])
            for argument in ("--config-listen", f"{address}:8421")
        ]
        self.platform = make_platform(directory, operational_address, common)
        if isinstance(self.platform, ServerProcess):
            self.platform.shared = log
        self.portal = ServerProcess(
            "portal",
            [*common, "--portal-listen", f"{home_address}:8420"]
            + ["--config-url", self.config_url],
            directory / "portal.log",
            log,
        )
        self.config = ServerProcess(
            "config",
            [*common, *config_listens, "--config-public-url", self.config_url]
            + self.platform.config_options,
            directory / "config.log",
            log,
        )
        self.all: tuple[Server, ...] = (self.platform, self.config, self.portal)

    @property
    def platform_token(self) -> str:
        """The token of the platform's administrator: it opens neither of the other doors."""
        return (self.data / "platform-token").read_text().strip()

    @property
    def administrator_token(self) -> str:
        return self.token_file.read_text().strip()

    def __enter__(self) -> Self:
        for server in self.all:
            server.start()
        return self

    def wait_ready(self) -> None:
        for server in self.all:
            server.wait_ready()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for server in self.all:
            server.ask_to_stop()  # all at once: each takes its time to close
        for server in self.all:
            server.stop()
