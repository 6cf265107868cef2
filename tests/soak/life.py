# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Weeks of a committed device in virtual time: what happens, and what must be so at the end."""

import json
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.soak.world import World

TICKS_PERIOD_MS = 1 << 30
# Of the host's time, for servers to answer; and while one is down, which needs no time for that.
_GRACE_S, _NO_GRACE_S = 0.4, 0.05
_POLL_S = 0.01
_LINE = re.compile(rb"M (\d+) (\w) (\w+) ([^\r\n]*)")
# The back-off is 1 s doubling to 5 min, give or take a quarter: 8 quick ones, then 16 an hour.
_MOST_FAILURES_AN_HOUR = 30
_MOST_GROWTH = 4096  # bytes of heap in use, between the first days and the last


@dataclass(frozen=True)
class Event:
    day: float
    what: str
    deed: Callable[[World], None]
    is_down: bool = False  # until the next event a server does not answer


@dataclass(frozen=True)
class Plan:
    """sync_s and interval_s are the device's; it starts so long before its ticks wrap.

    Whenever the device only waits, shortest_s are skipped at least, as if it was late: less than
    the time within which its tasks promise to be heard of again. A bare board has neither button
    nor LED, whose looks and blinks are most of what a soak costs.
    """

    events: list[Event]
    sync_s: int
    interval_s: int
    shortest_s: float
    is_bare: bool
    before_wrap_s: int = 3600
    restarts: int = 0  # so often nothing else helps


@dataclass
class Soak:
    """The results of a life."""

    days: float = 0.0
    seconds: float = 0.0
    tick_wraps: int = 0
    events: list[str] = field(default_factory=list)
    heap_first: int = 0
    heap_last: int = 0
    heap_most: int = 0
    syncs: int = 0
    registrations: int = 0
    restarts: int = 0
    failures: dict[str, int] = field(default_factory=dict)
    most_failures_an_hour: int = 0
    findings: list[str] = field(default_factory=list)


def live(world: World, days: float, plan: Plan, real_limit_s: float) -> Soak:
    """Onboards, lets the time run with what is planned, and judges."""
    soak = Soak()
    began = time.monotonic()
    world.board.clock.start_ticks(TICKS_PERIOD_MS - plan.before_wrap_s * 1000)
    world.onboard(plan.sync_s, plan.interval_s, plan.is_bare)
    start_day = world.day
    _hurry(world, plan, _GRACE_S)
    left = sorted(plan.events, key=lambda event: event.day)
    while world.day - start_day < days:
        if time.monotonic() - began > real_limit_s:
            soak.findings.append(f"only {world.day:.1f} days in {real_limit_s:.0f} s")
            break
        while left and left[0].day <= world.day - start_day:
            event = left.pop(0)
            event.deed(world)
            _hurry(world, plan, _NO_GRACE_S if event.is_down else _GRACE_S)
            soak.events.append(f"{world.day - start_day:.2f} {event.what}")
        time.sleep(_POLL_S)
    world.board.clock.skip_idle(False)
    soak.days = round(world.day - start_day, 2)
    soak.seconds = round(time.monotonic() - began, 1)
    _judge(world, soak, plan)
    return soak


def _hurry(world: World, plan: Plan, grace_s: float) -> None:
    world.board.clock.skip_idle(shortest_s=plan.shortest_s, grace_s=grace_s)


def _judge(world: World, soak: Soak, plan: Plan) -> None:
    said = bytes(world.board.output)
    said = said[said.rindex(b"\nM ", 0, said.rindex(b"life committed version 1")) :]
    for bad in (b"Traceback", b"unexpected error", b"Task exception", b"MemoryError"):
        if bad in said:
            at = said.index(bad)
            text = said[max(0, at - 200) : at + 600].decode("utf-8", "replace")
            soak.findings.append(f"{bad.decode()}: {text}")
    soak.restarts = said.count(b"rst:0x")
    if soak.restarts > plan.restarts:
        soak.findings.append(f"{soak.restarts} restarts, where {plan.restarts} would do")
    _count_lines(said, soak)
    _look_at_heap(said, soak)
    _look_at_servers(world, soak, plan)


def _count_lines(said: bytes, soak: Soak) -> None:
    former, era = None, 0  # ticks wrap, and begin anew with each life
    hours: Counter[int] = Counter()
    failures: Counter[str] = Counter()
    for ticks, level, where, text in _LINE.findall(said):
        now = int(ticks)
        if former is not None and now < former:
            era += 1
            soak.tick_wraps += now < former - TICKS_PERIOD_MS // 2
        former = now
        soak.registrations += where == b"step" and text.startswith(b"9 ok")
        soak.syncs += where == b"clock" and level == b"I"  # a directive has told the time
        if level in b"WE" and where in (b"step", b"sync"):
            failures[_code(text)] += 1
            hours[(era * TICKS_PERIOD_MS + now) // 3_600_000] += 1
    soak.failures = dict(failures)
    soak.most_failures_an_hour = max(hours.values(), default=0)
    if soak.most_failures_an_hour > _MOST_FAILURES_AN_HOUR:
        soak.findings.append(f"{soak.most_failures_an_hour} failures in an hour: a retry storm")


def _code(text: bytes) -> str:
    found = re.match(rb"(?:\d+ )?([a-z_]+)", text)
    return found[1].decode() if found else "?"


def _look_at_heap(said: bytes, soak: Soak) -> None:
    heap = [int(size) for size in re.findall(rb"SOAK heap (\d+)", said)]
    if len(heap) < 8:
        soak.findings.append(f"the application has run {len(heap)} times only")
        return
    quarter = len(heap) // 4
    # After the first day: what is loaded once is loaded by then.
    soak.heap_first, soak.heap_last = min(heap[:quarter]), min(heap[-quarter:])
    soak.heap_most = max(heap)
    if soak.heap_last > soak.heap_first + _MOST_GROWTH:
        soak.findings.append(f"the heap in use grew from {soak.heap_first} to {soak.heap_last}")


def _look_at_servers(world: World, soak: Soak, plan: Plan) -> None:
    device = world.device()
    if device["state"] != "registered" or device["claim"] != "proved":
        soak.findings.append(f"the server says {device['state']}, {device['last']}")
    if world.now() - device["seen_at"] > plan.sync_s + 3600:
        soak.findings.append(f"last seen {world.now() - device['seen_at']:.0f} s ago")
    reading: Any = json.loads(world.last_reading()["con"])
    if reading["name"] != "heap":
        soak.findings.append(f"the newest reading is {reading}")


def outage(begin: float, hours: float) -> list[Event]:
    """The operational network is away."""
    return [
        Event(begin, "network away", lambda world: world.operational.remove()),
        Event(begin + hours / 24, "network back", lambda world: world.operational.restore()),
    ]


def written(soak: Soak, file: Path, retries: dict[str, Any]) -> None:
    file.parent.mkdir(exist_ok=True)
    document = {"soak": soak.__dict__ | {"retries": retries}}
    file.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n")
