# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does a fleet come again as it was told to, and give up when it should?"""

import asyncio
import time
from collections.abc import Callable

import pytest

from muster_harness.deploy.labels import new_label
from muster_harness.fleet.device import FleetDevice, Refused
from muster_harness.fleet.figures import Figures, percentile
from muster_harness.fleet.run import LATE, Fleet, Step, backoff, moment


def devices(count: int) -> list[FleetDevice]:
    return [FleetDevice(new_label(), number) for number in range(count)]


def at_once(tries: int) -> float:
    return 0.0


def step(name: str, do: Callable[[FleetDevice], object]) -> Step:
    async def done(device: FleetDevice) -> None:
        await asyncio.sleep(0)
        do(device)

    return Step(name, done)


def run(
    fleet: Fleet, count: int, clients: int, deadline_s: float = 20, spread_s: float = 0
) -> None:
    asyncio.run(fleet.run(devices(count), clients, deadline_s, spread_s))


def test_each_device_takes_each_step_in_order() -> None:
    taken: list[tuple[str, int]] = []
    steps = [step(name, lambda d, name=name: taken.append((name, d.number))) for name in "ab"]  # type: ignore[misc]
    figures = Figures()
    fleet = Fleet(steps, figures, "both")
    run(fleet, 20, 4)
    assert sorted(taken) == sorted((s, n) for s in "ab" for n in range(20))
    assert all(taken.index(("a", n)) < taken.index(("b", n)) for n in range(20))
    assert figures.count("both") == 20 and fleet.given_up == []


def test_who_is_refused_comes_again_when_told_to_and_begins_with_that_step() -> None:
    came: list[float] = []
    begun: list[int] = []

    def refuse_once(device: FleetDevice) -> None:
        came.append(time.monotonic())
        if len(came) == 1:
            raise Refused("sync: HTTP 503 unavailable", 0.2)

    figures = Figures()
    steps = [step("begin", lambda device: begun.append(device.number)), step("go", refuse_once)]
    run(Fleet(steps, figures, "all", wait=at_once), 1, 2)
    assert begun == [0]
    assert came[1] - came[0] >= 0.2
    assert figures.refusals == {"sync: HTTP 503 unavailable": 1}


def test_who_is_refused_for_ever_gives_up_and_so_does_who_is_late() -> None:
    def refuse(device: FleetDevice) -> None:
        raise Refused("no", 0.0 if device.number == 0 else 60.0)

    fleet = Fleet([step("go", refuse)], Figures(), "all", most_tries=3, wait=at_once)
    run(fleet, 2, 2, deadline_s=0.5)
    assert sorted((d.number, why) for d, why in fleet.given_up) == [(0, "no"), (1, "the deadline")]


def test_who_is_refused_for_good_does_not_come_again() -> None:
    def refuse(device: FleetDevice) -> None:
        raise Refused("claim: HTTP 401 unauthorized", is_final=True)

    figures = Figures()
    fleet = Fleet([step("go", refuse)], figures, "all")
    run(fleet, 2, 2)
    assert len(fleet.given_up) == 2 and figures.refusals.total() == 2


def test_who_is_spread_comes_again_until_the_deadline() -> None:
    def refuse(device: FleetDevice) -> None:
        raise Refused("no", 0.0)

    figures = Figures()
    fleet = Fleet([step("go", refuse)], figures, "all", most_tries=2, wait=lambda tries: 0.01)
    run(fleet, 1, 1, deadline_s=0.5, spread_s=0.01)
    assert figures.refusals["no"] > 2 and [why for _, why in fleet.given_up] == ["the deadline"]


def test_no_more_are_at_work_than_there_are_clients() -> None:
    now = most = 0

    async def work(device: FleetDevice) -> None:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.001)
        now -= 1

    run(Fleet([Step("go", work)], Figures(), "all"), 30, 4)
    assert most == 4


def test_time_begins_when_a_client_is_free() -> None:
    async def work(device: FleetDevice) -> None:
        await asyncio.sleep(0.05)

    figures = Figures()
    run(Fleet([Step("go", work)], figures, "all"), 10, 1)
    assert figures.count("all") == 10 and LATE not in figures.times
    assert min(figures.times["all"]) < 0.5 * sum(figures.times["go"])


def test_who_is_spread_comes_by_and_by_and_waits_from_his_own_moment() -> None:
    async def work(device: FleetDevice) -> None:
        await asyncio.sleep(0.05)

    figures = Figures()
    run(Fleet([Step("go", work)], figures, "all"), 20, 1, spread_s=0.2)
    whole, late, own = (sum(figures.times[name]) for name in ("all", LATE, "go"))
    assert late > 1.0  # one client for twenty: they queue
    assert whole == pytest.approx(late + own, rel=0.05)  # and that counts


def test_defect_in_a_step_ends_the_run() -> None:
    def fail(device: FleetDevice) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(Fleet([step("go", fail)], Figures(), "all"), 3, 2)


def test_waits_are_those_of_firmware() -> None:
    for tries, wait_s in ((1, 1), (2, 2), (4, 8), (9, 256), (10, 300), (40, 300)):
        found = [backoff(tries) for _ in range(50)]
        assert 0.75 * wait_s <= min(found) < max(found) <= 1.25 * wait_s
    moments = [moment(300) for _ in range(2000)]
    assert 0 <= min(moments) < 30 and 300 < max(moments) <= 375
    assert moment(0) == 0


def test_figures_of_two_processes_are_those_of_one() -> None:
    one, other = Figures(), Figures()
    one.took("a", 1.0)
    other.took("a", 2.0)
    other.took("b", 3.0)
    other.refused("no")
    one.add(other)
    assert (one.count("a"), one.count("b"), one.refusals["no"]) == (2, 1, 1)
    assert one.summary()["a"]["longest_ms"] == 2000


def test_percentiles_are_those_of_the_times() -> None:
    times = [n / 1000 for n in range(1, 101)]
    assert [percentile(times, p) for p in (50, 90, 99, 100)] == [50, 90, 99, 100]
    assert percentile([], 99) == 0
