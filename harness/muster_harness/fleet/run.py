# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Runs a fleet in one event loop: so many clients at once, each with one device after another.

A device that is refused comes again as firmware does: after its back-off, and not before it was
told to.
"""

import asyncio
import heapq
import itertools
import random
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from muster_harness.fleet.device import FleetDevice, Refused
from muster_harness.fleet.figures import Figures

# Of firmware/muster/backoff.py and refusal.py: Retry-After is believed up to the longest wait.
_FIRST_WAIT_S, _LONGEST_WAIT_S = 1.0, 300.0
_MOST_TRIES = 12
LATE, BEYOND, DEADLINE = "came late", "beyond its back-off", "the deadline"


@dataclass(frozen=True)
class Step:
    """One thing that a device does, and what it is called in the figures."""

    name: str
    do: Callable[[FleetDevice], Awaitable[object]]


@dataclass(order=True, slots=True)
class _Turn:
    due: float
    number: int
    device: FleetDevice = field(compare=False)
    step: int = field(compare=False, default=0)
    tries: int = field(compare=False, default=0)
    began: float | None = field(compare=False, default=None)
    waited_s: float = field(compare=False, default=0.0)


def backoff(tries: int) -> float:
    """Return how long a device waits after so many failures in a row, in seconds."""
    wait_s = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * (1 << min(tries - 1, 16)))
    return wait_s * random.uniform(0.75, 1.25)  # noqa: S311 - spreads devices, hides nothing


def moment(spread_s: float) -> float:
    """Return when a device comes after an outage: within its own wait of `spread_s`, which is
    longer or shorter by a quarter at most.
    """
    return random.uniform(0, spread_s * random.uniform(0.75, 1.25))  # noqa: S311 - as above


class Fleet:
    """Devices that all take the same steps.

    With a spread each of them comes at a moment of its own, whether or not those before it are
    done, and its time counts from that moment. Without, the next one begins when a client is free,
    and its time counts from then.
    """

    def __init__(
        self,
        steps: Iterable[Step],
        figures: Figures,
        whole: str,
        most_tries: int = _MOST_TRIES,
        wait: Callable[[int], float] = backoff,
    ):
        """`whole` is what all steps together are called; a step is tried so often at most, and
        with a spread until the deadline, because firmware never gives up.
        """
        self._steps = tuple(steps)
        self._figures = figures
        self._whole = whole
        self._most_tries = most_tries
        self._wait = wait
        self._turns: list[_Turn] = []
        self._at_work: set[asyncio.Task[None]] = set()
        self._clients = 0
        self._is_spread = self._is_over = False
        self._alarm: asyncio.TimerHandle | None = None
        self._numbers = itertools.count()
        self.given_up: list[tuple[FleetDevice, str]] = []

    async def run(
        self,
        devices: Iterable[FleetDevice],
        clients: int,
        deadline_s: float,
        spread_s: float = 0.0,
    ) -> float:
        """Let all of them take all steps; how long it took, in seconds.

        Who is not done at the deadline is given up.
        """
        self._loop = asyncio.get_running_loop()
        self._done: asyncio.Future[None] = self._loop.create_future()
        self._clients, self._is_spread = clients, spread_s > 0
        started = self._loop.time()
        self._turns = [
            _Turn(started + moment(spread_s), next(self._numbers), device) for device in devices
        ]
        heapq.heapify(self._turns)
        deadline = self._loop.call_later(deadline_s, self._give_up)
        self._fill()
        try:
            await self._done
        finally:
            deadline.cancel()
            self._give_up()
            for task in self._at_work:
                task.cancel()
        return self._loop.time() - started

    def _fill(self) -> None:
        """Let those that are due begin, while there is a client for them."""
        now = self._loop.time()
        while self._turns and len(self._at_work) < self._clients and self._turns[0].due <= now:
            turn = heapq.heappop(self._turns)
            task = self._loop.create_task(self._take(turn, now))
            self._at_work.add(task)
            task.add_done_callback(self._ended)
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if self._turns and len(self._at_work) < self._clients:
            self._alarm = self._loop.call_at(self._turns[0].due, self._fill)
        if not self._turns and not self._at_work and not self._done.done():
            self._done.set_result(None)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._at_work.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not self._done.done():
            self._done.set_exception(error)
        if not self._done.done():
            self._fill()

    def _give_up(self) -> None:
        self._is_over = True
        self.given_up += [(turn.device, DEADLINE) for turn in self._turns]
        self._turns = []
        if not self._done.done():
            self._fill()

    async def _take(self, turn: _Turn, now: float) -> None:
        if self._is_spread:
            self._figures.took(LATE, now - turn.due)
        if turn.began is None:
            turn.began = turn.due if self._is_spread else now
        while turn.step < len(self._steps):
            step = self._steps[turn.step]
            since = self._loop.time()
            try:
                await step.do(turn.device)
            except Refused as refusal:
                self._put_off(turn, refusal)
                return
            self._figures.took(step.name, self._loop.time() - since)
            turn.step, turn.tries = turn.step + 1, 0
        turn.device.hang_up()
        took_s = self._loop.time() - turn.began
        self._figures.took(self._whole, took_s)
        if self._is_spread:
            self._figures.took(BEYOND, took_s - turn.waited_s)

    def _put_off(self, turn: _Turn, refusal: Refused) -> None:
        self._figures.refused(refusal.what)
        turn.tries += 1
        has_tried = turn.tries >= self._most_tries and not self._is_spread
        if self._is_over or has_tried or refusal.is_final:
            turn.device.hang_up()
            reason = DEADLINE if self._is_over else refusal.what
            self.given_up.append((turn.device, reason))
            return
        told_s = min(refusal.wait_s or 0.0, _LONGEST_WAIT_S)
        wait_s = max(self._wait(turn.tries), told_s)
        turn.due = self._loop.time() + wait_s
        turn.waited_s += wait_s
        heapq.heappush(self._turns, turn)
