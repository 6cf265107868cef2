# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Runs a fleet: so many clients at once, each with one device after another.

A device that is refused comes again when it was told to, or with back-off, as firmware does.
"""

import heapq
import itertools
import random
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from muster_harness.fleet.device import FleetDevice, Refused
from muster_harness.fleet.figures import Figures

_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 30.0
_IDLE_S = 0.02


@dataclass(frozen=True)
class Step:
    """One thing that a device does, and what it is called in the figures."""

    name: str
    do: Callable[[FleetDevice], None]


@dataclass(order=True)
class _Turn:
    due: float
    number: int
    device: FleetDevice = field(compare=False)
    step: int = field(compare=False, default=0)
    tries: int = field(compare=False, default=0)
    began: float | None = field(compare=False, default=None)


class Fleet:
    """Devices that all take the same steps."""

    def __init__(self, steps: Iterable[Step], figures: Figures, whole: str, most_tries: int = 12):
        """`whole` is what all steps together are called; a step is tried so often at most."""
        self._steps = tuple(steps)
        self._figures = figures
        self._whole = whole
        self._most_tries = most_tries
        self._lock = threading.Lock()
        self._turns: list[_Turn] = []
        self._left = 0
        self._numbers = itertools.count()
        self._end = 0.0
        self.given_up: list[tuple[FleetDevice, str]] = []

    def run(
        self,
        devices: Iterable[FleetDevice],
        clients: int,
        deadline_s: float,
        spread_s: float = 0.0,
    ) -> float:
        """Let all of them take all steps; how long it took, in seconds.

        They come at any moment within `spread_s`, as after an outage. Who is not done at the
        deadline is given up.
        """
        started = time.monotonic()
        self._end = started + deadline_s
        self._turns = [
            _Turn(started + random.uniform(0, spread_s), next(self._numbers), device)  # noqa: S311
            for device in devices
        ]
        heapq.heapify(self._turns)
        self._left = len(self._turns)
        threads = [threading.Thread(target=self._work, daemon=True) for _ in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return time.monotonic() - started

    def _work(self) -> None:
        while (turn := self._next()) is not None:
            self._take(turn)

    def _next(self) -> _Turn | None:
        while True:
            now = time.monotonic()
            with self._lock:
                if now > self._end:
                    self.given_up += [(turn.device, "the deadline") for turn in self._turns]
                    self._left -= len(self._turns)
                    self._turns = []
                if not self._left:
                    return None
                if self._turns and self._turns[0].due <= now:
                    return heapq.heappop(self._turns)
            time.sleep(_IDLE_S)

    def _take(self, turn: _Turn) -> None:
        # From when it was to come, not from when a client of ours was free.
        began = turn.began or turn.due
        turn.began = began
        while turn.step < len(self._steps):
            step = self._steps[turn.step]
            since = time.monotonic()
            try:
                step.do(turn.device)
            except Refused as refusal:
                self._put_off(turn, refusal)
                return
            self._figures.took(step.name, time.monotonic() - since)
            turn.step, turn.tries = turn.step + 1, 0
        turn.device.hang_up()
        self._figures.took(self._whole, time.monotonic() - began)
        with self._lock:
            self._left -= 1

    def _put_off(self, turn: _Turn, refusal: Refused) -> None:
        self._figures.refused(refusal.what)
        turn.tries += 1
        if turn.tries >= self._most_tries:
            with self._lock:
                self.given_up.append((turn.device, refusal.what))
                self._left -= 1
            return
        wait_s = refusal.wait_s
        if wait_s is None:
            wait_s = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2 ** (turn.tries - 1))
            wait_s *= random.uniform(0.75, 1.25)  # noqa: S311 - spreads devices, hides nothing
        turn.due = time.monotonic() + wait_s
        with self._lock:
            heapq.heappush(self._turns, turn)
