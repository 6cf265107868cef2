# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Do readings come from the platform to their owner, with an account that may only read?"""

from dataclasses import dataclass, field
from typing import Any

import pytest

from muster_server.config_server import readers as rules
from muster_server.config_server.containers import Containers
from muster_server.config_server.instances import NotAllowed, Place, Reading, TokenRefused
from muster_server.config_server.platform_adapter import Token
from muster_server.config_server.readers import ReaderService
from muster_server.config_server.readings import ReadingService
from muster_server.errors import Conflict, Invalid, NoAnswer, NotFound, ServiceUnreachable
from muster_server.store.readers import OWN
from tests.host_server.config_server.field import OWNER, PLATFORM_URL, PROFILE, Device, Field

POLICY = f"owner:{OWNER}"


@dataclass
class Shelf:
    """Containers at platforms, which let in whom the fake platform's policies do."""

    place: Field
    readings: list[Reading] = field(default_factory=list)
    asked: list[Place] = field(default_factory=list)

    def read(self, place: Place) -> list[Reading]:
        self.asked.append(place)
        platform, device = self.place.platform, place.path.split("/")[2]
        if place.url == PLATFORM_URL and place.originator not in platform.policies:
            raise TokenRefused("401")
        policy = platform.policies.get(place.originator, "")
        is_named = device in platform.members.get(policy, set())
        if place.url == PLATFORM_URL and not is_named:
            raise NotAllowed("4103")
        return list(self.readings)


@pytest.fixture
def shelf(place: Field) -> Shelf:
    return Shelf(place, [Reading(str(n), float(n), "t", n) for n in range(5)])


@pytest.fixture
def readings(place: Field, shelf: Shelf) -> ReadingService:
    readers = ReaderService(place.store, place.platforms, place.clock)
    return ReadingService(Containers(place.store, place.platforms, readers), shelf.read)


@pytest.fixture
def readers(place: Field) -> ReaderService:
    return ReaderService(place.store, place.platforms, place.clock)


def values(page: dict[str, Any]) -> list[int]:
    return [reading["value"] for reading in page["readings"]]


def test_readings_are_read_with_a_readers_account_and_not_the_administrators(
    place: Field, readings: ReadingService, shelf: Shelf
) -> None:
    device = place.registered()
    device.onboard()
    page = readings.of(device.id, OWNER, None, 100)
    assert values(page) == [0, 1, 2, 3, 4]
    originator = device.shown()["account"]["originator"]
    assert page["container"] == f"/cse-in/{originator}/data"
    (asked,) = shelf.asked
    assert asked.originator.startswith("Creader")
    assert place.platform.policies == {asked.originator: POLICY}
    assert asked.token is not None
    assert asked.token not in repr(asked)
    readings.of(device.id, OWNER, None, 100)
    assert shelf.asked[1].originator == asked.originator  # the account is made once
    with place.store.transaction() as records:
        assert records.readers.get(OWNER, OWN) is not None
        assert records.readers.of_owner(OWNER) == []


def test_device_that_came_after_the_reader_is_named_when_it_is_given_its_configuration(
    place: Field, readings: ReadingService, shelf: Shelf, readers: ReaderService
) -> None:
    readers.add(OWNER, "dashboard")
    device = place.registered()
    device.sync()
    place.jobs.run_due()
    originator = device.shown()["account"]["originator"]
    assert originator in place.platform.members[POLICY]
    readings.of(device.id, OWNER, None, 100)
    assert len(shelf.asked) == 1


def test_device_whose_naming_was_lost_is_named_when_it_is_read(
    place: Field, readings: ReadingService, shelf: Shelf
) -> None:
    device = place.registered()
    device.onboard()
    readings.of(device.id, OWNER, None, 100)
    place.platform.members.clear()
    assert values(readings.of(device.id, OWNER, None, 100)) == [0, 1, 2, 3, 4]
    assert len(shelf.asked) == 3


def test_account_that_somebody_closed_is_made_anew(
    place: Field, readings: ReadingService, shelf: Shelf
) -> None:
    device = place.registered()
    device.onboard()
    readings.of(device.id, OWNER, None, 100)
    place.platform.policies.clear()
    assert len(readings.of(device.id, OWNER, None, 100)["readings"]) == 5
    assert len({asked.originator for asked in shelf.asked}) == 2


def test_readings_go_on_after_the_last_one_and_a_gap_is_told(
    place: Field, readings: ReadingService, shelf: Shelf
) -> None:
    device = place.registered()
    device.onboard()
    page = readings.of(device.id, OWNER, "2", 100)
    assert (values(page), page["is_gap"]) == ([3, 4], False)
    assert values(readings.of(device.id, OWNER, "4", 100)) == []
    shelf.readings = shelf.readings[3:]
    page = readings.of(device.id, OWNER, "1", 100)
    assert (values(page), page["is_gap"]) == ([3, 4], True)
    assert values(readings.of(device.id, OWNER, None, 1)) == [4]


def test_device_of_another_platform_is_read_under_its_own_account(
    place: Field, readings: ReadingService, shelf: Shelf
) -> None:
    url = "http://other.example:8080"
    foreign = PROFILE["platform"] | {"url": url, "cse": "their-cse"}
    place.profiles.replace("press", PROFILE | {"platform": foreign})
    device = place.registered()
    device.onboard()
    assert len(readings.of(device.id, OWNER, None, 100)["readings"]) == 5
    (asked,) = shelf.asked
    originator = device.shown()["account"]["originator"]
    assert (asked.url, asked.originator, asked.token) == (url, originator, None)
    assert asked.path == f"/their-cse/{originator}/data"
    assert place.platform.policies == {}


def test_nobody_reads_what_is_anothers_or_is_not_there_yet(
    place: Field, readings: ReadingService, shelf: Shelf
) -> None:
    device: Device = place.registered()
    with pytest.raises(Conflict, match="not given a configuration yet"):
        readings.of(device.id, OWNER, None, 100)
    device.onboard()
    with pytest.raises(NotFound):
        readings.of(device.id, "somebody", None, 100)
    assert shelf.asked == []


def test_reader_is_told_its_token_once_and_names_all_devices_of_its_owner(
    place: Field, readers: ReaderService
) -> None:
    mine, others = place.registered(), Device(place, label := place.registered().label)
    place.devices.release(others.id, OWNER)
    place.devices.register(label.qr_text, "press", "", "somebody")
    made = readers.add(OWNER, "dashboard")
    assert place.platform.policies == {made["originator"]: POLICY}
    assert place.platform.members[POLICY] == {mine.shown()["account"]["originator"]}
    assert made["token"] not in str(readers.all_shown(OWNER))
    assert [reader["name"] for reader in readers.all_shown(OWNER)] == ["dashboard"]
    assert readers.all_shown("somebody") == []
    with pytest.raises(Conflict):
        readers.add(OWNER, "dashboard")
    with pytest.raises(NotFound):
        readers.remove("somebody", "dashboard")
    readers.remove(OWNER, "dashboard")
    assert place.platform.policies == {}
    with pytest.raises(NotFound):
        readers.remove(OWNER, "dashboard")


def test_application_is_an_account_of_another_kind(
    place: Field, readers: ReaderService, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds: list[str] = []
    opened = place.platform.open_reader

    def noted(originator: str, policy: str, token_id: str, kind: str) -> Token:
        kinds.append(kind)
        return opened(originator, policy, token_id, kind)

    monkeypatch.setattr(place.platform, "open_reader", noted)
    readers.add(OWNER, "dashboard")
    made = readers.add(OWNER, "robot", rules.APPLICATION)
    assert kinds == ["reader", "application"]
    assert made["originator"].startswith("Capp")
    assert [one["kind"] for one in readers.all_shown(OWNER)] == kinds


@pytest.mark.parametrize("name", ["", "A", OWN, "a b", "x" * 33, "-a", "a/b", "ü"])
def test_reader_has_a_name_that_can_be_typed(readers: ReaderService, name: str) -> None:
    with pytest.raises(Invalid) as caught:
        readers.add(OWNER, name)
    assert caught.value.path == "name"


def test_readers_are_bounded(readers: ReaderService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MOST_READERS", 1)
    readers.add(OWNER, "one")
    with pytest.raises(Conflict):
        readers.add(OWNER, "two")


def test_platform_that_is_down_leaves_no_reader_behind(
    place: Field, readers: ReaderService, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = place.platform.open_reader

    def lost(*about: str) -> None:
        opened(*about)
        raise NoAnswer("its answer was lost")

    monkeypatch.setattr(place.platform, "open_reader", lost)
    with pytest.raises(ServiceUnreachable):
        readers.add(OWNER, "dashboard")
    assert readers.all_shown(OWNER) == []
    place.jobs.run_due()
    assert place.platform.policies == {}


def test_reader_is_still_there_if_its_platform_did_not_hear_of_its_end(
    place: Field, readers: ReaderService
) -> None:
    readers.add(OWNER, "dashboard")
    place.platform.is_down = True
    with pytest.raises(ServiceUnreachable):
        readers.remove(OWNER, "dashboard")
    assert len(readers.all_shown(OWNER)) == 1
