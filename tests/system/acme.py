# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""ACME CSE as a story's platform: a oneM2M platform that nobody here wrote.

It installs itself when it is first needed, from requirements-acme.lock.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import requests

from set_up import Environment, Failed
from tests import surroundings
from tests.programs import Missing, once

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements-acme.lock"
ADMINISTRATOR = "CAdmin"
# What an operator allows once: the form of Muster's originators (docs/platforms.md).
ALLOWED = "Cmuster*"
_READY_S = 40.0
_STOP_S = 5.0
_STARTS = 3  # see start()
_REQUEST_S = 10.0
_CONFIGURATION = """\
[basic.config]
cseType=IN
cseID=id-in
cseName=cse-in
adminID={administrator}
cseHost={address}
httpPort={port}
networkInterface={address}
databaseType=memory
logLevel=info
consoleTheme=dark
[cse.registration]
allowedAEOriginators={administrator},{allowed}
[console]
headless=true
[textui]
startWithTUI=false
"""
_WITHOUT = ("--no-mqtt", "--no-coap", "--no-ws", "--no-remote-cse")
_OPTIONS = ("--headless", "--db-type", "memory", *_WITHOUT)


def install() -> Path:
    """The interpreter that has ACME CSE, in an environment of its own, made once; or Missing."""

    def fill(draft: Path, home: Path) -> None:
        # An environment's own scripts break when it moves; its interpreter does not.
        environment = Environment(draft, surroundings.before())
        environment.create("environment for ACME CSE")
        locked = ("--no-deps", "--require-hashes", "-r", LOCK)
        environment.install("ACME CSE (190 MB on disk)", *locked)

    try:
        return once("acme", LOCK.read_bytes() + sys.version.encode(), fill) / "bin" / "python"
    except Failed as error:
        raise Missing(f"ACME CSE could not be installed. {error}") from None


class Acme:
    """One CSE with its data in memory: a start is always with an empty store."""

    ca_file: str | None = None
    has_accounts = False

    def __init__(self, directory: Path, address: str, common: list[str]) -> None:
        self._python = install()
        self._folder = directory / "acme"
        self._log = directory / "acme.log"
        self._address = address
        self._port = free_port()
        self.url = f"http://{address}:{self._port}"
        # No token goes over this line, but nothing protects the readings: say that it is meant.
        self.profile: dict[str, Any] = {"url": self.url, "insecure": True}
        self.config_options: list[str] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._starts = 0

    def start(self) -> None:
        """Starts it without waiting for it."""
        self._starts = 1
        self._start()

    def _start(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir()
        configuration = _CONFIGURATION.format(
            address=self._address, port=self._port, administrator=ADMINISTRATOR, allowed=ALLOWED
        )
        (self._folder / "acme.ini").write_text(configuration)
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [str(self._python), "-m", "acmecse", "-dir", str(self._folder), *_OPTIONS],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1"},
                cwd=self._folder,
            )

    def wait_ready(self) -> None:
        """Waits until the CSEBase answers; raises RuntimeError with the log if it does not.

        Nothing is asked before it says that it has started: a request that comes while it loads
        its policies can end it, without a word and with status 0. Then it is started once more.
        """
        deadline = time.monotonic() + _READY_S
        while b"CSE started" not in self._log.read_bytes():
            if self._process is None or self._process.poll() is not None:
                if self._starts >= _STARTS:
                    raise RuntimeError(f"ACME CSE ended at its start; see {self._log}")
                self._starts += 1
                self._start()
            if time.monotonic() > deadline:
                raise RuntimeError(f"ACME CSE is not ready within {_READY_S} s; see {self._log}")
            time.sleep(0.02)
        rsc = self.request("GET", "/cse-in", ADMINISTRATOR).headers.get("X-M2M-RSC")
        if rsc != "2000":
            raise RuntimeError(f"ACME CSE has started, but its CSEBase answers {rsc}")

    def request(
        self, method: str, path: str, originator: str, body: object = None, ty: int = 0
    ) -> requests.Response:
        """A request over ACME's own HTTP interface."""
        headers = {
            "X-M2M-Origin": originator,
            "X-M2M-RI": "story",
            "X-M2M-RVI": "4",
            "Accept": "application/json",
        }
        if body is not None:
            headers["Content-Type"] = f"application/json;ty={ty}"
        return requests.request(
            method, self.url + path, json=body, headers=headers, timeout=_REQUEST_S
        )

    @property
    def pid(self) -> int:
        """The process id. Raises RuntimeError if it does not run."""
        if self._process is None:
            raise RuntimeError("ACME CSE does not run")
        return self._process.pid

    def ask_to_stop(self) -> None:
        if self._process is not None:
            self._process.terminate()

    def stop(self) -> None:
        """Asks it to end, and ends it if it does not."""
        if self._process is None:
            return
        self.ask_to_stop()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


def free_port() -> int:
    """A port that nobody on this machine has, on any address: ACME looks at all of them."""
    with socket.socket() as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])
