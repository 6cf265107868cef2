# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Measure how long one transaction keeps others from writing, in what goes through all devices.

`python -m tests.bench.holding 100000`: the longest transaction of each such deed, in ms, from its
turn to the end of its commit, and how long the deed takes as a whole.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from muster_server.store.tasks import TaskRow
from tests.bench.clones import OWNER, device_id
from tests.bench.growth_fleet import PROFILE, Fleet, fleets

SIZE = 20_000
_MOST = 100_000  # rows of a task
_LOT = 1000


class Watch:
    """Measures the transactions of stores, one at a time."""

    def __init__(self, *stores: Any) -> None:
        self.longest_s = 0.0
        for store in stores:
            store.transaction = self._timed(store.transaction)

    def _timed(self, begin: Callable[..., Any]) -> Callable[..., Any]:
        @contextmanager
        def transaction(*about: Any) -> Iterator[Any]:
            began = time.perf_counter()
            with begin(*about) as records:
                yield records
            self.longest_s = max(self.longest_s, time.perf_counter() - began)

        return transaction


def deeds(fleet: Fleet) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Return what goes through all devices, in the order in which it can be done."""
    place, made = fleet.place, {}
    number = _drafted(fleet)

    def begin() -> None:
        started = place.rollouts.begin(PROFILE, number, OWNER, [], "ada")
        made["rollout"] = str(started["id"])

    def steps() -> None:
        for _ in range(20):
            place.clock.pass_s(1)
            place.worker.step()

    yield "rollout_begin", begin
    yield "rollout_steps", steps
    yield "rollout_stop", lambda: place.rollouts.stop(made["rollout"], OWNER)
    yield "rollout_go_on", lambda: place.rollouts.go_on(made["rollout"], OWNER)
    yield "rollout_abort", lambda: place.rollouts.abort(made["rollout"], OWNER)
    yield "rollout_forget", lambda: place.rollouts._forget(made["rollout"])

    def fill() -> None:
        task = place.tasks.begin("change", OWNER, {"group": "hall 0"}, "ada")["id"]
        made["task"] = task
        rows = min(fleet.devices, _MOST)
        for start in range(0, rows, _LOT):
            numbers = range(start, min(rows, start + _LOT))
            place.tasks.add_rows(
                task, OWNER, [TaskRow(n + 1, device_id=device_id(n)) for n in numbers]
            )
        place.tasks.start(task, OWNER, is_trial=False)

    def change() -> None:
        while place.tasks.step(lambda records: True):
            pass

    yield "task_fill", fill
    yield "task_change", change
    yield "task_forget", lambda: place.tasks.give_up(made["task"], OWNER)
    yield "end_expired", lambda: place.presence.end_expired()
    yield "end_idle", lambda: _end_idle(fleet)
    yield "sweep", fleet.platform.sweep


def _end_idle(fleet: Fleet) -> None:
    for work in fleet.place.worker._work:
        work.end_idle(lambda records: True)


def _drafted(fleet: Fleet) -> int:
    with fleet.store.reading() as records:
        document = records.profile(PROFILE)
        assert document is not None
    return int(fleet.place.history.draft(PROFILE, {**document, "country": "AT"})["number"])


def held(fleet: Fleet) -> Iterator[tuple[str, float, float]]:
    """Each deed, its longest transaction and its whole time, in s."""
    watch = Watch(fleet.store, fleet.platform_store)
    for name, do in deeds(fleet):
        watch.longest_s, began = 0.0, time.perf_counter()
        do()
        yield name, watch.longest_s, time.perf_counter() - began


def measure(size: int = SIZE) -> dict[str, float]:
    """Return the longest transaction of each deed, in ms."""
    with fleets((size,), "sqlite") as made:
        found = {f"holding.{name}_ms": longest * 1000 for name, longest, _ in held(made[size])}
    return found | {"holding.longest_ms": max(found.values())}


if __name__ == "__main__":
    devices = int(sys.argv[1]) if len(sys.argv) > 1 else SIZE
    with fleets((devices,), sys.argv[2] if len(sys.argv) > 2 else "sqlite") as all_of_them:
        for name, longest, whole in held(all_of_them[devices]):
            print(f"{name:<20}{longest * 1000:>10.1f} ms{whole:>10.1f} s", flush=True)
