# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The costs of onboarding: bytes and round trips on the onboarding network, time, and heap."""

import re
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import requests

from muster_harness.air.air import Air, Event
from muster_harness.errors import HarnessError
from muster_harness.units.emulated import EmulatedBoard
from tests.flash import make_flash
from tests.system.story import Story

_KIB = 1024
# A profile must leave room for the longest number and token in the 4096 bytes of a configuration.
LARGEST = 4 * _KIB - 28
_HIGHEST_KIB = 512
# Generous: too little heap is said by the board, and only a host that is too busy waits so long.
_BOOT_S = 30.0
_FLOW_S = 60.0
_READING_S = 15.0
_NETWORKS_IN_THE_AIR = 8
_ENDS = re.compile(rb"life committed version|MemoryError|restarts in|step \d (?!ok)\w+ ")
_FAILED = re.compile(rb"MemoryError|restarts in")
_DONE = re.compile(rb"step (\d) ok")
_ON_DEVICE = range(3, 10)  # steps 1 and 2 are the label's and the portal's


@dataclass(frozen=True)
class Run:
    """One onboarding of a blank board with a label, up to the first reading at the platform."""

    is_committed: bool
    boot_to_registered_s: float
    events: list[Event]
    config_bytes: int
    last_step: int  # the last one that the device has done


class Bench:
    """A story whose board is put back to blank, with its label, before each run. Its profile has
    this in `app` and `policy`.
    """

    def __init__(
        self, directory: Path, app: dict[str, Any] | None = None, **policy: int | None
    ) -> None:
        self._directory = directory
        self._app = {"interval_s": 1} | (app or {})
        self._policy = {"failsafe_s": 60, "sync_s": 3600, "ntp": None} | policy
        self._flash = make_flash(directory / "deployed")
        self._runs = 0
        self._pad = ""
        # The bar is for eight networks in the scan; two are the story's own.
        self.story = Story(directory, flash=self._flash)

    def __enter__(self) -> "Bench":
        story = self.story.__enter__()
        for i in range(_NETWORKS_IN_THE_AIR - 2):
            story.air.add_access_point(f"neighbour-{i}", rssi=-70 - i, password="not ours at all")
        self.label = story.begin("n" * 64)
        story.board.close()
        return self

    def __exit__(self, *error: object) -> None:
        self.story.__exit__(None, None, None)

    def pad_configuration_to(self, size_bytes: int) -> None:
        """Fills the profile's `app` until the configuration has that size."""
        self._pad = ""
        bare = self.run(_HIGHEST_KIB).config_bytes
        self._pad = "x" * (size_bytes - bare)

    def run(self, heap_kib: int) -> Run:
        """Onboards with that heap. The configuration's size is read from the board's flash."""
        self._runs += 1
        folder = self._directory / f"run-{self._runs}"
        shutil.copytree(self._directory / "board", folder)
        story = self.story
        # A version of its own for each board: else they would be copies of one label.
        app = self._app | {"run": f"{self._runs:04}", "pad": self._pad}
        story.change_profile(app=app, policy=self._policy)
        story.portal("POST", f"/v1/devices/{self.label.device_id}/window")
        former = self.newest_reading()
        began = len(story.air.trace)
        with EmulatedBoard(folder, air=story.air, heap=f"{heap_kib}K", name=folder.name) as board:
            start = time.monotonic()
            board.power_on()
            is_committed = _says(board, _ENDS.pattern, _FLOW_S, b"life committed")
            took_s = time.monotonic() - start
            events = story.air.trace[began:]
            size = _config_bytes(board) if is_committed else 0
            is_committed = is_committed and self.is_at_work(former, board)
            last_step = max((int(step) for step in _DONE.findall(board.output)), default=0)
        shutil.rmtree(folder)
        return Run(is_committed, took_s, events, size, last_step)

    def newest_reading(self) -> str | None:
        try:
            originator = self.story.device(self.label)["account"]["originator"]
            newest = self.story.platform(f"/cse-in/{originator}/data/la")
        except (requests.HTTPError, KeyError, TypeError):
            return None
        return str(newest["m2m:cin"]["ri"])

    def is_at_work(self, former: str | None, board: EmulatedBoard) -> bool:
        """Tell whether another reading than the former comes from this board."""
        deadline = time.monotonic() + _READING_S
        while time.monotonic() < deadline and not _FAILED.search(board.output):
            if self.newest_reading() != former:
                return True
            time.sleep(0.05)
        return False


def _says(board: EmulatedBoard, pattern: bytes, timeout_s: float, wanted: bytes) -> bool:
    try:
        return board.expect(pattern, timeout_s)[0].startswith(wanted)
    except HarnessError:
        return False


def _config_bytes(board: EmulatedBoard) -> int:
    found = re.search(rb"committed version \d+, (\d+) bytes", board.output)
    return int(found[1]) if found else 0


def smallest(works: Callable[[int], bool], low_kib: int, high_kib: int) -> int:
    """The least size in KiB that works, if whatever is larger than one that works does too."""
    if not works(high_kib):
        raise RuntimeError(f"does not even work with {high_kib} KiB")
    while high_kib - low_kib > 1:
        middle = (low_kib + high_kib) // 2
        if works(middle):
            high_kib = middle
        else:
            low_kib = middle
    return high_kib


def idle_heap_kib(flash: Path, directory: Path) -> int:
    """The least heap with which a board with nothing but its shims comes to its prompt."""

    def works(heap_kib: int) -> bool:
        folder = directory / f"idle-{heap_kib}"
        shutil.copytree(flash, folder)
        with Air() as air, EmulatedBoard(folder, air=air, heap=f"{heap_kib}K") as board:
            board.power_on()
            return _says(board, rb">>> |MemoryError", _BOOT_S, b">>> ")

    return smallest(works, 4, _HIGHEST_KIB)


def traffic(run: Run) -> tuple[int, int]:
    """(application bytes of steps 5 and 6, round trips of steps 4 to 6) after DHCP."""
    started = next(i for i, event in enumerate(run.events) if event.what == "address")
    events = run.events[started:]
    events = events[: next(i for i, event in enumerate(events) if event.what == "leave")]
    queries = sum(e.what == "datagram" and e.details["way"] == "tx" for e in events)
    connections = [e for e in events if e.what == "connect"]
    counted = [e for e in events if e.what == "bytes"]
    size = sum(e.details["tx"] + e.details["rx"] for e in counted)
    if not size or not queries:
        raise RuntimeError("the air has traced no traffic: a figure of nothing would pass any bar")
    return size, queries + len(connections)


def measure() -> dict[str, float]:
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="muster-bench-") as made:
        directory = Path(made)
        with Bench(directory) as bench:
            idle = idle_heap_kib(make_flash(directory / "idle", with_main=False), directory)
            found["onboarding.idle_heap_bytes"] = idle * _KIB
            bench.pad_configuration_to(_KIB)
            found |= _costs([bench.run(_HIGHEST_KIB) for _ in range(3)])
            run = cache(bench.run)
            found["onboarding.min_heap_1k_bytes"] = _least(lambda kib: run(kib).is_committed, idle)
            for step in _ON_DEVICE:
                found[f"onboarding.heap_step_{step}_bytes"] = _least(_reaches(run, step), idle)
            bench.pad_configuration_to(LARGEST)
            found["onboarding.min_heap_4k_bytes"] = _least(
                lambda kib: bench.run(kib).is_committed, idle
            )
    return found


def _reaches(run: Callable[[int], Run], step: int) -> Callable[[int], bool]:
    return lambda kib: run(kib).last_step >= step


def _least(works: Callable[[int], bool], idle_kib: int) -> int:
    """The least heap net of an idle board's, in bytes."""
    return (smallest(works, idle_kib, 256) - idle_kib) * _KIB


def _costs(runs: list[Run]) -> dict[str, float]:
    size_bytes, trips = traffic(runs[0])
    return {
        "onboarding.config_bytes": runs[0].config_bytes,
        "onboarding.bytes_5_to_6": size_bytes,
        "onboarding.round_trips_4_to_6": trips,
        "onboarding.boot_to_registered_s": min(run.boot_to_registered_s for run in runs),
    }
