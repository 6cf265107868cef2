# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Are lists and counts of devices right, and found by indexes alone?"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from muster_server.config_server.device_view import Wanted
from muster_server.label import new_label
from muster_server.store import device_list
from muster_server.store.device_list import SORTED, Fit
from muster_server.store.rollouts import _HEARD
from tests.host_server.config_server.field import OWNER, PROFILE, Field, open_field

WRONG_PASSWORD = {"config": 1, "step": 8, "code": "wifi_auth", "detail": "no"}


@pytest.fixture
def place(empty_database: Callable[[str], str]) -> Iterator[Field]:
    with open_field(empty_database("config")) as opened:
        yield opened


@pytest.fixture
def sqlite_place() -> Iterator[Field]:
    with open_field() as opened:
        yield opened


def found(place: Field, **wanted: Any) -> list[str]:
    page = place.devices.views.page(OWNER, Wanted(**wanted))
    return [device["device_id"] for device in page["devices"]]


def test_search_finds_a_part_of_id_or_name_and_takes_signs_as_they_are(place: Field) -> None:
    for device_id, name in (("PRESS-4", "Hall 3"), ("PRESS-5", "100 %"), ("LATHE-1", "a_b")):
        place.devices.register(new_label(device_id).qr_text, "press", name, OWNER)
    assert found(place, search="ress-") == ["PRESS-4", "PRESS-5"]
    assert found(place, search="hall") == ["PRESS-4"]
    assert found(place, search="%") == ["PRESS-5"]
    assert found(place, search="_") == ["LATHE-1"]
    assert found(place, search="a_b", profile="press") == ["LATHE-1"]
    assert found(place, search="nobody") == []


def test_counts_are_of_devices_by_state_and_by_profile(place: Field) -> None:
    new, working, failing, gone = (place.registered() for _ in range(4))
    working.onboard()
    failing.sync()
    failing.sync(last=WRONG_PASSWORD)
    place.devices.release(gone.id, OWNER)
    assert place.devices.views.counts(OWNER) == {
        "devices": 3,
        "states": {"failed": 1, "prepared": 1, "registered": 1},
        "profiles": {"press": 3},
        "groups": {},
        "tags": {},
    }
    nobodys = {"devices": 0, "states": {}, "profiles": {}, "groups": {}, "tags": {}}
    assert place.devices.views.counts("other") == nobodys
    assert found(place, attempt="ok") == [working.id]
    assert new.id in found(place, attempt="none")


@pytest.mark.parametrize(
    "fit",
    [
        Fit(),
        Fit(state="failed"),
        Fit(profile="press"),
        Fit(attempt="wifi_auth"),
        Fit(attempt="under_way"),
        Fit(silent_since=1.0),
        Fit(search="press"),
        Fit(group="hall 3", tag="spare"),
        Fit(profile="press", behind=1),
    ],
)
def test_no_list_looks_at_every_row(sqlite_place: Field, fit: Fit) -> None:
    # PostgreSQL plans by what it knows of the rows; with a few it looks at all of them, rightly.
    asked: list[str] = []
    with sqlite_place.store.reading() as records:
        driver = records.devices._sql._cursor.connection
        driver.set_trace_callback(asked.append)
        records.devices.ids(OWNER, "", 10, fit)
        for by in SORTED:
            records.devices.sorted_ids(OWNER, by, ("0", "x"), 10, fit)
        driver.set_trace_callback(None)
        plans = [driver.execute(f"EXPLAIN QUERY PLAN {text}").fetchall() for text in asked]
    lines = [row[3] for plan in plans for row in plan]
    assert all("USING" in line and "INDEX" in line for line in lines if "claim" in line), lines


def test_unfiltered_lists_are_in_the_order_of_their_index(sqlite_place: Field) -> None:
    asked: list[str] = []
    with sqlite_place.store.reading() as records:
        driver = records.devices._sql._cursor.connection
        driver.set_trace_callback(asked.append)
        for by in SORTED:
            records.devices.sorted_ids(OWNER, by, ("0", "x"), 10, Fit())
        driver.set_trace_callback(None)
        plans = [driver.execute(f"EXPLAIN QUERY PLAN {text}").fetchall() for text in asked]
    for (line,), by in zip(plans, SORTED, strict=True):
        assert f"COVERING INDEX claim_by_{by}" in line[3] or f"INDEX claim_by_{by}" in line[3]


@pytest.mark.parametrize("sort", ["id", "name", "heard"])
@pytest.mark.parametrize(
    "wanted",
    [
        {"search": "rare"},
        {"tag": "rare"},
        {"group": "hall 3", "search": "press"},
        {"silent_since": 1e12, "search": "rare"},
        {"profile": "press", "behind": True, "search": "rare"},
        {"state": "prepared", "attempt": "none", "search": "rare"},
    ],
)
def test_search_goes_on_where_it_stopped(
    place: Field, monkeypatch: pytest.MonkeyPatch, sort: str, wanted: dict[str, Any]
) -> None:
    monkeypatch.setattr(device_list, "WINDOW", 3)
    for n in range(11):
        name = "rare press" if n % 5 == 2 else "press"
        device = place.devices.register(new_label(f"D-{n:02d}").qr_text, "press", name, OWNER)
        is_rare = n % 5 == 2
        place.devices.change(
            device["device_id"],
            OWNER,
            None,
            None,
            group="hall 3" if is_rare else "hall 4",
            tags=["rare"] if is_rare else [],
        )
    pages, shown, after = 0, [], ""
    while after is not None:
        page = place.devices.views.page(OWNER, Wanted(after=after, sort=sort, **wanted))
        shown += [device["device_id"] for device in page["devices"]]
        after, pages = page["next"], pages + 1
    assert sorted(shown) == ["D-02", "D-07"]
    is_led = "group" in wanted or "tag" in wanted
    assert pages == (1 if is_led else 4)


def test_who_runs_what_and_how_far_a_rollout_is_are_told_by_indexes_alone(
    sqlite_place: Field,
) -> None:
    asked: list[str] = []
    with sqlite_place.store.reading() as records:
        driver = records.devices._sql._cursor.connection
        driver.set_trace_callback(asked.append)
        records.profiles.runners("press", OWNER)
        records.rollouts.counts("none")
        driver.set_trace_callback(None)
        plans = [driver.execute(f"EXPLAIN QUERY PLAN {text}").fetchall() for text in asked]
    told = [" ".join(row[3] for row in plan) for plan in plans]
    assert len(told) == 2
    for line in told:
        assert "USING COVERING INDEX" in line and "TEMP B-TREE" not in line, told


def test_news_of_a_rollout_are_found_by_who_was_heard_of(place: Field) -> None:
    devices = [place.registered() for _ in range(3)]
    for device in devices:
        device.onboard()
    place.history.draft("press", PROFILE | {"app": {"every_s": 5}})
    begun = place.rollouts.begin("press", 2, OWNER, [], "ada")
    place.rollouts.step(lambda records: True)
    since = place.clock()
    place.clock.pass_s(10)
    devices[1].sync(k="1")
    with place.store.reading() as records:
        rollout = records.rollouts.one(begun["id"], OWNER)
        assert rollout is not None
        for after in (since, None):
            (member,) = records.rollouts.with_news(rollout, 50, after)
            assert member.device_id == devices[1].id
        assert records.rollouts.with_news(rollout, 50, place.clock()) == []


def test_news_of_a_rollout_are_found_by_an_index(sqlite_place: Field) -> None:
    with sqlite_place.engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        values = (OWNER, 1.0, "r", 50)
        plan = [row[3] for row in driver.execute(f"EXPLAIN QUERY PLAN {_HEARD}", values)]
    assert "claim_by_seen (owner=? AND status=? AND seen_at>?)" in plan[0], plan
    assert "SEARCH d USING INDEX" in plan[1], plan
