# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Are groups and tags checked, found, and nothing that a device is told?"""

from collections.abc import Iterator

import pytest

from muster_server.config_server.device_view import Wanted
from muster_server.errors import Invalid, NotFound
from tests.host_server.config_server.field import OWNER, Field, open_field


@pytest.fixture
def place() -> Iterator[Field]:
    with open_field() as opened:
        yield opened


def found(place: Field, **wanted: str) -> list[str]:
    page = place.devices.views.page(OWNER, Wanted(**wanted))  # type: ignore[arg-type]
    return [device["device_id"] for device in page["devices"]]


def test_devices_are_found_by_group_and_tag(place: Field) -> None:
    one, other, third = (place.registered() for _ in range(3))
    place.devices.change(one.id, OWNER, None, None, " hall 3 ", ["spare", "old", "old"])
    place.devices.change(other.id, OWNER, None, None, "hall 3", ["spare"])
    place.devices.change(third.id, OWNER, None, None, "hall 4", None)
    assert place.devices.shown(one.id, OWNER)["tags"] == ["old", "spare"]
    assert found(place, group="hall 3") == sorted([one.id, other.id])
    assert found(place, group="hall 3", tag="old") == [one.id]
    assert found(place, group="hall 4", tag="spare") == []
    place.devices.change(one.id, OWNER, None, None, "", [])
    assert found(place, group="hall 3") == [other.id]
    assert place.devices.views.counts(OWNER)["groups"] == {"hall 3": 1, "hall 4": 1}


@pytest.mark.parametrize(
    ("group", "tags", "path"),
    [
        ("x" * 65, None, "group"),
        ("hall\n3", None, "group"),
        ("hall \u202e3", None, "group"),
        (None, ["  "], "tags"),
        (None, ["a,b"], "tags"),
        (None, [f"t{n}" for n in range(21)], "tags"),
        (None, ["x" * 33], "tags"),
    ],
)
def test_what_cannot_be_typed_is_no_group_and_no_tag(
    place: Field, group: str | None, tags: list[str] | None, path: str
) -> None:
    device = place.registered()
    with pytest.raises(Invalid) as caught:
        place.devices.change(device.id, OWNER, None, None, group, tags)
    assert caught.value.path == path
    assert place.devices.shown(device.id, OWNER)["tags"] == []


def test_no_device_is_told_of_its_group(place: Field) -> None:
    device = place.registered()
    device.onboard()
    place.devices.change(device.id, OWNER, None, None, "hall 3", ["spare"])
    assert device.sync(k="1")["action"] == "keep"


def test_device_of_another_owner_gets_no_group(place: Field) -> None:
    device = place.registered()
    with pytest.raises(NotFound):
        place.devices.change(device.id, "o-0000000001", None, None, "mine", ["mine"])
    assert place.devices.shown(device.id, OWNER)["group"] == ""
