# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Do several processes on one store act as one configuration server?"""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import pytest

from muster_server.config_server.device_view import Wanted
from muster_server.config_server.events import EventService
from muster_server.config_server.jobs import Jobs
from muster_server.config_server.sync import SyncService
from muster_server.config_server.versions import Versions
from muster_server.errors import Unavailable
from muster_server.store import settling, tallies
from muster_server.store.config import ConfigStore
from muster_server.store.engine import open_engine
from muster_server.store.history import Moment
from muster_server.store.secrets import SecretBox
from tests.host_server.config_server.field import OWNER, SERVER_URL, Device, Field, open_field
from tests.postgres import Postgres


@pytest.fixture
def url(postgres: Postgres) -> str:
    return postgres.emptied("config")


@pytest.fixture
def place(url: str) -> Iterator[Field]:
    with open_field(url) as opened:
        yield opened


@pytest.fixture
def other(url: str, place: Field) -> Iterator[Field]:
    """Another process, as far as the store can tell."""
    engine = open_engine(url)
    field = Field(engine=engine, store=ConfigStore(engine, SecretBox(bytes(32))))
    field.clock = place.clock
    field.versions = Versions(field.store, place.platforms, SERVER_URL, place.clock)
    field.sync = SyncService(field.store, field.versions, place.clock, place.clock)
    field.jobs = Jobs(field.store, place.platforms, place.clock, field.stopping)
    yield field
    engine.dispose()


def proved(place: Field, device: Device) -> bool:
    with place.store.reading() as records:
        (claim,) = records.claims_of(device.id)
    return claim.state == "proved"


def test_device_that_one_process_told_a_nonce_proves_itself_to_another(
    place: Field, other: Field
) -> None:
    device = place.registered()
    version = device.sync()["config"]["version"]
    device.place = other
    device.confirm(version)
    assert proved(place, device)


def test_processes_agree_at_once_after_a_crash_of_the_database(
    place: Field, other: Field, postgres: Postgres
) -> None:
    device = place.registered()
    device.sync()  # this one knows, for a while, what is told in place of a nonce
    postgres.restart()  # which forgets it
    device.place = other
    version = device.sync()["config"]["version"]
    device.place = place
    device.confirm(version)
    assert proved(place, device)


def test_each_job_is_done_by_one_process(
    place: Field, other: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(4):
        place.registered().sync()
    described: list[str] = []

    def slowly(originator: str, device_id: str, facts: dict[str, Any]) -> None:
        described.append(device_id)
        time.sleep(0.02)

    monkeypatch.setattr(place.platform, "describe", slowly)
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(each.jobs.run_due) for each in (place, other)]:
            done.result(20)
    assert len(described) == len(set(described)) == 4


def test_two_processes_make_one_version(place: Field, other: Field) -> None:
    device = place.registered()
    place.set_password("another horse")
    with place.store.reading() as records:
        (claim,) = records.claims_of(device.id)
    make_token, calls = place.platform.make_token, place.platform.calls

    def slowly(originator: str, token_id: str) -> Any:
        time.sleep(0.1)
        return make_token(originator, token_id)

    place.platform.make_token = slowly  # type: ignore[method-assign]
    with ThreadPoolExecutor(2) as pool:
        made = [pool.submit(each.versions.issue, claim.id, 9) for each in (place, other)]
        first, second = (each.result(20) for each in made)
    assert first == second
    assert place.platform.calls <= calls + 1


def test_who_waits_too_long_for_another_process_is_told_to_come_again(
    place: Field, other: Field
) -> None:
    device = place.registered()
    with place.store.reading() as records:
        (claim,) = records.claims_of(device.id)
    with place.store.alone(f"claim {claim.id}") as is_mine, pytest.raises(Unavailable):
        assert is_mine
        other.versions.issue(claim.id, 9)
    assert other.versions.issue(claim.id, 9).number == 10


def test_devices_of_which_each_process_has_some_are_in_one_list(
    place: Field, other: Field
) -> None:
    mine, others = place.registered(), other.registered()
    page = place.devices.views.counts(OWNER)
    assert page["devices"] == 2
    assert {mine.id, others.id} == {
        device["device_id"] for device in other.devices.views.page(OWNER, Wanted())["devices"]
    }


def test_event_that_is_numbered_first_and_written_last_is_told(place: Field) -> None:
    events, claimed = EventService(place.store), Moment("portal", 1.0, "claimed")
    start = events.after(OWNER, None)["next"]
    with ThreadPoolExecutor(1) as pool:
        with place.store.transaction("PRESS-1") as records:
            records.history.note("PRESS-1", OWNER, claimed)
            with place.store.transaction("PRESS-2") as others:
                others.history.note("PRESS-2", OWNER, claimed)
            asked = pool.submit(events.after, OWNER, start)
            wait([asked], 0.3)  # until it has begun, at least
        found = asked.result(20)
    assert [event["device_id"] for event in found["events"]] == ["PRESS-1", "PRESS-2"]


def test_who_asks_for_events_holds_up_nobody_who_writes(place: Field) -> None:
    events, claimed = EventService(place.store), Moment("portal", 1.0, "claimed")
    with ThreadPoolExecutor(1) as pool:
        with place.store.transaction("PRESS-1") as records:
            records.history.note("PRESS-1", OWNER, claimed)
            with place.store.transaction("PRESS-2") as others:
                others.history.note("PRESS-2", OWNER, claimed)
            asked = pool.submit(events.after, OWNER, 0)
            wait([asked], 0.3)
            with place.store.transaction("PRESS-3") as others:
                others.history.note("PRESS-3", OWNER, claimed)
        found = asked.result(20)
    assert len(found["events"]) >= 2


def test_event_of_a_transaction_that_does_not_end_is_waited_for_no_longer_than_others(
    place: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settling, "_PATIENCE_S", 0.05)
    events, claimed = EventService(place.store), Moment("portal", 1.0, "claimed")
    with place.store.transaction("PRESS-1"):
        with place.store.transaction("PRESS-2") as others:
            others.history.note("PRESS-2", OWNER, claimed)
        with pytest.raises(Unavailable):
            events.after(OWNER, 0)
    assert len(events.after(OWNER, 0)["events"]) == 1


def test_steps_of_one_owners_devices_are_counted_beside_each_other(
    place: Field, other: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = iter(range(tallies.PARTS))
    monkeypatch.setattr(tallies, "randbelow", lambda most: next(parts))
    with place.store.transaction("PRESS-1") as mine:
        mine.tallies.add(OWNER, 0.0, [(8, "ok", 5)])
        with ThreadPoolExecutor(1) as pool:
            pool.submit(count_one, other).result(timeout=4)  # waits for nobody
    with other.store.reading() as records:
        assert [tally.times for tally in records.tallies.since(OWNER, 0)] == [2]


def count_one(field: Field) -> None:
    with field.store.transaction("PRESS-2") as records:
        records.tallies.add(OWNER, 0.0, [(8, "ok", 5)])
