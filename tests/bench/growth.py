# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Measure what devices and people ask, as a fleet grows: `growth --store sqlite 1000 100000`.

Each question is asked of each fleet in turn, about another device each time, with what it needs
prepared beforehand. A time is what passes until the answer is there (`wall`), and what this
process computes for it (`cpu`, without PostgreSQL's part).
"""

import argparse
import asyncio
import gc
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from muster_server.config_server.device_view import Wanted
from muster_server.lane import Lane, afterwards
from muster_server.serve import look_for_garbage_seldom
from tests.bench.clones import OWNER, device_id
from tests.bench.growth_fleet import PROFILE, Fleet, fleets

SIZES = (1_000, 20_000)
_ROUNDS = 5
_WARMING = 3
_ADDRESSES = 200

# Something to be asked about device n; what comes back is what is measured.
Prepared = Callable[[], Any]
Question = Callable[[Fleet, int], Prepared]


@dataclass
class Times:
    """The times that it took, in ms."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def take(self, do: Prepared, lane: "_Lane | None") -> None:
        """Do it once: in the lane, as devices' requests are done, until the disk has it; or here,
        as pages are made.
        """
        marks = [(time.process_time(), time.perf_counter())]

        def ended() -> None:
            marks.append((time.process_time(), time.perf_counter()))

        def work() -> None:
            marks[0] = (time.process_time(), time.perf_counter())
            do()
            afterwards(ended)

        work() if lane is None else lane.run(work)
        (computing, began), (computed, end) = marks
        self.wall.append((end - began) * 1000)
        self.cpu.append((computed - computing) * 1000)


class _Lane:
    """A lane, and the event loop of which its work comes. To be closed."""

    def __init__(self) -> None:
        self._lane = Lane()
        self._loop = asyncio.new_event_loop()

    def run(self, work: Callable[[], None]) -> None:
        self._loop.run_until_complete(self._lane.run(work))

    def close(self) -> None:
        self._lane.close()
        self._loop.close()


def percentile(times: list[float], percent: int) -> float:
    """Return the time that so many of them do not exceed."""
    return sorted(times)[min(len(times) - 1, len(times) * percent // 100)]


def _sync(fleet: Fleet, number: int) -> Prepared:
    fleet.place.clock.pass_s(60)
    message, address = fleet.message(number), f"127.9.0.{number % _ADDRESSES}"
    return lambda: fleet.checked_in(message, address)


def _page(**wanted: Any) -> Question:
    def prepared(fleet: Fleet, number: int) -> Prepared:
        after = "" if wanted.get("search") else device_id(number)
        about = Wanted(**{"after": after, **wanted})
        return lambda: fleet.place.devices.views.page(OWNER, about)

    return prepared


def _sorted_page(sort: str) -> Question:
    """A page from the middle: where that is, is told by an entry of the list."""

    def prepared(fleet: Fleet, number: int) -> Prepared:
        entry = fleet.place.devices.views.entry(device_id(number), OWNER)
        value = entry["name"] if sort == "name" else repr(-(entry["seen_at"] or 0))
        about = Wanted(after=f"{value}~{device_id(number)}", sort=sort)
        return lambda: fleet.place.devices.views.page(OWNER, about)

    return prepared


def _discovery(who: str = "CAdmin", *, deepest: int = 0, **wanted: Any) -> Question:
    def prepared(fleet: Fleet, number: int) -> Prepared:
        about = {**wanted, "offset": min(number, deepest)}
        return lambda: fleet.discovered(who, **about)

    return prepared


def _labelled(fleet: Fleet, number: int) -> Prepared:
    label = frozenset({f"muster:{device_id(number)}"})
    return lambda: fleet.discovered(labels=label)


_AES, _NODES = frozenset({2}), frozenset({14})
OF_DEVICES: dict[str, Question] = {
    "sync": _sync,
    "reading": lambda fleet, n: lambda: fleet.published(n, "21.5"),
    "retrieval": lambda fleet, n: lambda: fleet.retrieved(n),
}
OF_PEOPLE: dict[str, Question] = {
    "show": lambda fleet, n: lambda: fleet.place.devices.views.one(device_id(n), OWNER),
    "page": _page(),
    "page_of_state": _page(state="failed"),
    "page_of_code": _page(attempt="wifi_auth"),
    "page_of_profile": _page(profile=PROFILE),
    "page_of_group": _page(group="hall 7"),
    "page_of_tag": _page(tag="rare"),
    "page_of_lone_tag": _page(tag="lone"),
    "page_of_none": _page(state="registered", attempt="wifi_auth"),
    "page_of_silent": _page(silent_since=1.0),
    "page_behind_none": _page(profile=PROFILE, behind=True, group="hall 1"),
    "page_of_search": _page(search="press 99"),
    "page_of_search_none": _page(search="nowhere"),
    "page_by_name": _sorted_page("name"),
    "page_by_heard": _sorted_page("heard"),
    "counting": lambda fleet, n: lambda: fleet.place.devices.views.counted._count(OWNER),
    "counts": lambda fleet, n: lambda: fleet.place.devices.views.counts(OWNER),
    "overview": lambda fleet, n: lambda: fleet.overview.of(OWNER),
    "versions": lambda fleet, n: lambda: fleet.place.history.listed(PROFILE, OWNER),
    "passwords": lambda fleet, n: lambda: fleet.place.passwords.shown(PROFILE, OWNER),
    "discovery": _discovery(types=_AES),
    "discovery_offset": _discovery(types=_AES, deepest=10**6),
    "discovery_of_all": _discovery(),
    "discovery_of_label": _labelled,
    "discovery_of_model": _discovery(types=_NODES, conditions=(("cra", "20200101T000000"),)),
    "discovery_of_reader": _discovery("Creader", types=_AES),
    "discovery_of_reader_offset": _discovery("Creader", types=_AES, deepest=10_000),
}
QUESTIONS = OF_DEVICES | OF_PEOPLE


def asked(
    fleets_: dict[int, Fleet], times: int, names: list[str], rounds: int = _ROUNDS
) -> Iterator[tuple[str, dict[int, Times]]]:
    """Ask each question, of each fleet in turn, so that all have the same machine."""
    look_for_garbage_seldom()
    gc.collect()
    gc.freeze()
    lane = _Lane()
    for name in names:
        way = lane if name in OF_DEVICES else None
        question, found = QUESTIONS[name], {size: Times() for size in fleets_}
        some = random.Random(name)  # noqa: S311 - no secret, and the same in each run
        each = max(1, (times if name in OF_DEVICES else times // 4) // rounds)
        for part in range(rounds + 1):
            for size, fleet in fleets_.items():
                for _ in range(each if part else _WARMING):
                    do = question(fleet, some.randrange(size))
                    (found[size] if part else Times()).take(do, way)
        yield name, found
    lane.close()


def measure(sizes: tuple[int, ...] = SIZES, store: str = "sqlite") -> dict[str, float]:
    """Return the p99 of each question at the largest size, in ms of computing, and how many times
    that at the smallest it is.
    """
    found: dict[str, float] = {}
    with fleets(sizes, store) as made:
        for name, times in asked(made, 100, list(QUESTIONS)):
            low, high = (percentile(times[size].cpu, 99) for size in (min(sizes), max(sizes)))
            found[f"growth.{name}_ms"] = high
            if name in OF_DEVICES:
                found[f"growth.{name}_ratio"] = high / low
    return found


def _told(name: str, times: dict[int, Times]) -> str:
    first = next(iter(times.values()))
    parts = [f"{name:<27}"]
    for one in times.values():
        halves = (f"{percentile(t, 50):8.2f}{percentile(t, 99):8.2f}" for t in (one.cpu, one.wall))
        parts.append(" |".join(halves))
    last = list(times.values())[-1]
    ratios = (
        percentile(now, at) / max(percentile(then, at), 1e-6)
        for now, then in ((last.cpu, first.cpu), (last.wall, first.wall))
        for at in (50, 99)
    )
    return " ||".join(parts) + " || " + " ".join(f"{ratio:6.2f}" for ratio in ratios)


def main() -> None:
    """Print a line for each question: of each size the p50 and p99 of cpu, then of wall; then
    those of the last size divided by those of the first.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=SIZES)
    parser.add_argument("--store", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--times", type=int, default=200, help="of each question of a device")
    parser.add_argument("--only", action="append", choices=tuple(QUESTIONS))
    wanted = parser.parse_args()
    with fleets(tuple(wanted.sizes), wanted.store) as made:
        for name, times in asked(made, wanted.times, wanted.only or list(QUESTIONS)):
            print(_told(name, times), flush=True)


if __name__ == "__main__":
    main()
