# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does the overview tell how onboarding went, of an owner's own devices?"""

import pytest

from muster_server.config_server.counted import SILENT_S
from muster_server.config_server.overview import DAYS, OverviewService, median_ms
from muster_server.store.tallies import DAY_S, KEPT_DAYS, Tally, magnitude_of
from tests.host_server.config_server.field import OWNER, Field

FAILED = {"config": 1, "step": 8, "code": "wifi_auth", "detail": "factory: 202"}
BEGUN = [[3, "ok", 900], [4, "ok", 1500], [5, "ok", 40], [6, "ok", 60], [7, "ok", 10]]
WRONG = [*BEGUN, [8, "wifi_auth", 7000]]
RIGHT = [*BEGUN, [8, "ok", 3000], [9, "ok", 700]]


@pytest.fixture
def overview(place: Field) -> OverviewService:
    return OverviewService(place.store, place.clock)


def test_steps_are_counted_by_day_with_their_durations(
    place: Field, overview: OverviewService
) -> None:
    device = place.registered()
    device.sync(timeline=[])
    device.sync(last=FAILED, timeline=WRONG)
    place.clock.pass_s(DAY_S - 3600)
    version = device.sync(timeline=WRONG)["config"]["version"]
    device.sync(str(version), state="trial", config=version, timeline=[*WRONG, *RIGHT])
    found = overview.of(OWNER)
    steps = {step["step"]: step for step in found["steps"]}
    assert (steps[8]["ok"], steps[8]["failed"]) == (1, 1)
    assert (steps[3]["ok"], steps[3]["failed"], steps[3]["median_ms"]) == (2, 0, 768)
    assert (steps[9]["ok"], steps[9]["median_ms"]) == (1, 768)
    assert found["codes"] == {"wifi_auth": 1}
    assert len(found["days"]) == DAYS
    yesterday, today = found["days"][-2:]
    assert [step["failed"] for step in yesterday["steps"]] == [0, 0, 0, 0, 0, 1, 0]
    assert [step["ok"] for step in today["steps"]][-2:] == [1, 1]
    assert found["days"][0]["steps"] == []


def test_what_a_device_at_work_does_is_no_onboarding(
    place: Field, overview: OverviewService
) -> None:
    device = place.registered()
    version = device.onboard()
    before = overview.of(OWNER)["steps"]
    place.clock.pass_s(3600)
    device.sync(str(version), state="committed", timeline=[[8, "ok", 3000], [9, "ok", 700]])
    assert overview.of(OWNER)["steps"] == before


def test_who_went_silent_is_named_the_longest_first(
    place: Field, overview: OverviewService
) -> None:
    devices = [place.registered() for _ in range(3)]
    for device in devices:
        place.clock.pass_s(60)
        device.onboard()
    never = place.registered()
    assert overview.of(OWNER)["silent"]["devices"] == 0
    place.clock.pass_s(SILENT_S - 30)
    silent = overview.of(OWNER)["silent"]
    assert silent["devices"] == 2
    assert [entry["device_id"] for entry in silent["longest"]] == [d.id for d in devices[:2]]
    assert never.id not in str(silent)


def test_owner_sees_nothing_of_others(place: Field, overview: OverviewService) -> None:
    place.registered().onboard()
    found = overview.of("o-somebody")
    assert (found["devices"], found["states"], found["codes"]) == (0, {}, {})
    assert all(step["ok"] == 0 for step in found["steps"])


def test_old_days_are_forgotten(place: Field) -> None:
    with place.store.transaction() as records:
        records.tallies.add(OWNER, 1000.0 * DAY_S, [(8, "ok", 5)])
        records.tallies.add(OWNER, (1000.0 + KEPT_DAYS + 1) * DAY_S, [(8, "ok", 5)])
        assert [t.day for t in records.tallies.since(OWNER, 0)] == [1000 + KEPT_DAYS + 1]


def test_middle_of_durations_is_told_within_a_third() -> None:
    for ms in (1, 2, 3, 50, 999, 60_000):
        tally = Tally(1, 8, "ok", magnitude_of(ms), 1)
        told = median_ms([tally])
        assert told is not None and abs(told - ms) <= max(1, 0.51 * ms)
    classes = [(3, 5), (10, 2), (12, 1)]
    assert median_ms([Tally(1, 8, "ok", size, times) for size, times in classes]) == 6
    assert median_ms([]) is None
    assert magnitude_of(-5) == 0 and magnitude_of(2**40) == 31
