# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does a fleet come again as it was told to, and give up when it should?"""

import time

from muster_harness.deploy.labels import new_label
from muster_harness.fleet.device import FleetDevice, Refused
from muster_harness.fleet.figures import Figures, percentile
from muster_harness.fleet.run import Fleet, Step


def devices(count: int) -> list[FleetDevice]:
    return [FleetDevice(new_label(), number) for number in range(count)]


def test_each_device_takes_each_step_in_order() -> None:
    taken: list[tuple[str, int]] = []
    steps = [
        Step("one", lambda device: taken.append(("one", device.number))),
        Step("two", lambda device: taken.append(("two", device.number))),
    ]
    figures = Figures()
    fleet = Fleet(steps, figures, "both")
    fleet.run(devices(20), 4, deadline_s=10)
    assert sorted(taken) == sorted((s, n) for s in ("one", "two") for n in range(20))
    assert all(taken.index(("one", n)) < taken.index(("two", n)) for n in range(20))
    assert figures.count("both") == 20 and fleet.given_up == []


def test_who_is_refused_comes_again_when_told_to_and_begins_with_that_step() -> None:
    came: list[float] = []
    first = 0

    def begin(device: FleetDevice) -> None:
        nonlocal first
        first += 1

    def refuse_once(device: FleetDevice) -> None:
        came.append(time.monotonic())
        if len(came) == 1:
            raise Refused("sync: HTTP 503 unavailable", 0.2)

    figures = Figures()
    Fleet([Step("begin", begin), Step("go", refuse_once)], figures, "all").run(devices(1), 2, 10)
    assert first == 1
    assert came[1] - came[0] >= 0.2
    assert figures.refusals == {"sync: HTTP 503 unavailable": 1}


def test_who_is_refused_for_ever_gives_up_and_so_does_who_is_late() -> None:
    def refuse(device: FleetDevice) -> None:
        raise Refused("no", 0.0 if device.number == 0 else 60.0)

    fleet = Fleet([Step("go", refuse)], Figures(), "all", most_tries=3)
    fleet.run(devices(2), 2, deadline_s=0.5)
    assert sorted((d.number, why) for d, why in fleet.given_up) == [(0, "no"), (1, "the deadline")]


def test_who_is_spread_comes_by_and_by_and_waits_from_his_own_moment() -> None:
    came: list[float] = []
    figures = Figures()
    steps = [Step("go", lambda device: came.append(time.monotonic()))]
    began = time.monotonic()
    Fleet(steps, figures, "all").run(devices(60), 4, deadline_s=20, spread_s=0.6)
    assert max(came) - began > 0.3 and len(came) == 60
    first, second = (sum(lo <= t - began < lo + 0.3 for t in came) for lo in (0.0, 0.3))
    assert first >= 10 and second >= 10
    assert figures.summary()["all"]["p50_ms"] < 300  # not since the beginning of the run


def test_percentiles_are_those_of_the_times() -> None:
    times = [n / 1000 for n in range(1, 101)]
    assert [percentile(times, p) for p in (50, 90, 99, 100)] == [50, 90, 99, 100]
    assert percentile([], 99) == 0
