# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""MicroPython's suites that are run, and how each is run on boards of this project."""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from muster_harness import Air, EmulatedBoard
from muster_harness.errors import HarnessError
from tests.peers.internet import internet

# One folder of MicroPython's tests/ each, for run-tests.py.
ALONE = (
    "basics",
    "extmod",
    "float",
    "micropython",
    "unicode",
    "misc",
    "stress",
    "thread",
    "ports/esp32",
    "net_hosted",
    "extmod_hardware",
)
# For run-multitests.py: two boards in one network, or near each other.
TOGETHER = ("multi_net", "multi_wlan", "multi_espnow", "multi_bluetooth")
# The same for multitests of micropython-lib, with the package that they test on both boards.
AIOBLE = "aioble"
MPREMOTE = "mpremote"
ALL = (*ALONE, *TOGETHER, AIOBLE, MPREMOTE)

# As target_wiring/esp32.py of the checkout wants it.
_WIRES = ((4, 5), (12, 13))
_AIOBLE = "lib/micropython-lib/micropython/bluetooth/aioble"
_HEAP = "512K"
_LONGEST_S = 1800
_FAR_S = 0.03  # each way: its tests look at connections that are not made yet
_UNITTEST = "lib/micropython-lib/python-stdlib/unittest/unittest/__init__.py"
_JOIN = """
import network, time
wlan = network.WLAN()
wlan.active(True)
wlan.connect({ssid!r}, {password!r})
while not wlan.isconnected():
    time.sleep_ms(10)
"""
_SHELL = re.compile(r"^\S*/(test_\w+)\.sh: (OK|FAIL|CRASH|skip)$", re.MULTILINE)
_WORDS = {"OK": "pass", "FAIL": "fail", "CRASH": "fail", "skip": "skip"}


@dataclass(frozen=True)
class Outcome:
    """Return the outcome of one test: "pass", "fail" or "skip"."""

    test: str  # e.g. "basics/array1.py"
    result: str


@dataclass(frozen=True)
class Checkout:
    """A checkout of MicroPython's repository, with its submodule micropython-lib."""

    path: Path

    @property
    def tests(self) -> Path:
        return self.path / "tests"

    def require(self) -> None:
        """Raises HarnessError, with the cure, if something is not there."""
        for part, cure in (
            (
                "tests/run-tests.py",
                "name a checkout of https://github.com/micropython/micropython",
            ),
            (_UNITTEST, "git submodule update --init lib/micropython-lib"),
        ):
            if not (self.path / part).is_file():
                raise HarnessError(f"no {part} in {self.path}; {cure}")


def run(checkout: Checkout, suite: str, logs: Path) -> list[Outcome]:
    """Run one suite; what its program prints goes to a file in `logs`."""
    logs.mkdir(parents=True, exist_ok=True)
    log = logs / f"{suite.replace('/', '_')}.log"
    if suite == MPREMOTE:
        return _run_mpremote(checkout, log)
    results = logs / suite.replace("/", "_")
    for old in results.glob("*"):
        old.unlink()
    is_together = suite in (*TOGETHER, AIOBLE)
    count = 2 if is_together else 1
    joined, far_s = suite in ("net_hosted", "multi_net"), _FAR_S * (suite == "net_hosted")
    with _boards(checkout, count, joined=joined, far_s=far_s) as boards:
        ports = [word for board in boards for word in ("-t", f"port:{board.port}")]
        if is_together:
            files = [str(path) for path in _together(checkout, suite, boards)]
            words = ["run-multitests.py", *ports, "-r", str(results), *files]
        else:
            words = ["run-tests.py", *ports, "-r", str(results), "-d", suite]
        _call([sys.executable, *words], checkout.tests, log, dict(os.environ))
    return _read(results / "_results.json", checkout.tests, log)


def _together(checkout: Checkout, suite: str, boards: list[EmulatedBoard]) -> list[Path]:
    if suite != AIOBLE:
        return sorted((checkout.tests / suite).glob("*.py"))
    package = checkout.path / _AIOBLE
    for board in boards:
        board.exec("import os; os.mkdir('/lib/aioble')")
        for file in (package / "aioble").glob("*.py"):
            board.write_file(f"/lib/aioble/{file.name}", file.read_bytes())
    return sorted((package / "multitests").glob("*.py"))


def _read(report: Path, tests: Path, log: Path) -> list[Outcome]:
    if not report.is_file():
        raise HarnessError(f"the suite ended without a report; see {log}")
    found = []
    for test, how, *_ in json.loads(report.read_text())["results"]:
        path = Path(os.path.relpath(tests / test, tests))
        is_of_library = path.parts[0] == ".."
        found.append(Outcome(f"{AIOBLE}/{path.name}" if is_of_library else str(path), how))
    return found


def _run_mpremote(checkout: Checkout, log: Path) -> list[Outcome]:
    scripts = checkout.path / "tools" / "mpremote" / "tests"
    with _boards(checkout, 1, joined=False) as (board,), tempfile.TemporaryDirectory() as bin:
        # The scripts call mpremote.py of the checkout with `python3`: let that be this one.
        python = Path(bin) / "python3"
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        python.chmod(0o755)
        environment = {
            **os.environ,
            "PATH": f"{bin}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONUNBUFFERED": "",  # what is expected was written through a buffer
            "LC_ALL": "C.UTF-8",
        }
        words = ["bash", str(scripts / "run-mpremote-tests.sh"), "-t", board.port]
        _call(words, scripts, log, environment)
    return [
        Outcome(f"{MPREMOTE}/{name}", _WORDS[word])
        for name, word in _SHELL.findall(log.read_text())
    ]


def _call(words: list[str], folder: Path, log: Path, environment: dict[str, str]) -> None:
    with log.open("w") as out:
        try:
            subprocess.run(
                words,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                timeout=_LONGEST_S,
            )
        except subprocess.TimeoutExpired:
            raise HarnessError(f"the suite took longer than {_LONGEST_S} s; see {log}") from None


@contextmanager
def _boards(
    checkout: Checkout, count: int, *, joined: bool, far_s: float = 0
) -> Iterator[list[EmulatedBoard]]:
    """Boards as somebody sets them up who runs these tests: in one network, with unittest, the
    certificates of multi_net, their clocks set, and wires between pins."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        air = stack.enter_context(Air())
        home = air.add_access_point("peers", password="a phrase of its own")
        stack.enter_context(internet(home, folder))
        home.impairment.latency_s = far_s
        boards = []
        for n in range(count):
            board = stack.enter_context(EmulatedBoard(folder / f"board{n}", air=air, heap=_HEAP))
            for pin, other in _WIRES:
                board.wire(pin, other)
            board.power_on()
            board.expect(rb">>> ")
            _install(board, checkout)
            if joined:
                board.exec(_JOIN.format(ssid=home.ssid, password=home.password))
            boards.append(board)
        yield boards


def _install(board: EmulatedBoard, checkout: Checkout) -> None:
    board.set_time(time.time())
    board.exec("import os; os.mkdir('/lib')")
    board.write_file("/lib/unittest.py", (checkout.path / _UNITTEST).read_bytes())
    for certificate in (checkout.tests / "multi_net").glob("*.der"):
        board.write_file(f"/{certificate.name}", certificate.read_bytes())
