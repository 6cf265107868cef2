# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does each sorted list of devices hold each of them once, page by page?"""

from collections.abc import Iterator

import pytest

from muster_server.config_server.device_view import Wanted
from muster_server.errors import Invalid
from muster_server.label import new_label
from tests.host_server.config_server.field import OWNER, Device, Field, open_field


@pytest.fixture
def place() -> Iterator[Field]:
    with open_field() as opened:
        yield opened


def paged(place: Field, sort: str) -> list[str]:
    names, after = [], ""
    while True:
        page = place.devices.views.page(OWNER, Wanted(after=after, limit=2, sort=sort))
        names += [device["name"] for device in page["devices"]]
        if page["next"] is None:
            return names
        after = page["next"]


def test_sorted_lists_hold_each_device_once(place: Field) -> None:
    for n, name in enumerate(("d", "a", "c~x", "c~x", "b")):
        label = new_label(f"PRESS-{n}")
        place.devices.register(label.qr_text, "press", name, OWNER)
        place.clock.pass_s(10)
        if n in (1, 4):
            Device(place, label).sync()
    assert paged(place, "id") == ["d", "a", "c~x", "c~x", "b"]
    assert paged(place, "name") == ["a", "b", "c~x", "c~x", "d"]
    assert paged(place, "heard")[:2] == ["b", "a"]
    assert sorted(paged(place, "heard")) == ["a", "b", "c~x", "c~x", "d"]


def test_two_claims_of_a_device_are_one_entry(place: Field) -> None:
    for name in ("zebra", "ape"):
        place.devices.register(new_label("PRESS-4").qr_text, "press", name, OWNER)
        place.clock.pass_s(10)
    assert paged(place, "name") == ["ape"]


@pytest.mark.parametrize(("sort", "after"), [("name", "PRESS-4"), ("heard", "x~PRESS-4")])
def test_place_that_is_none_is_refused(place: Field, sort: str, after: str) -> None:
    with pytest.raises(Invalid, match="after"):
        place.devices.views.page(OWNER, Wanted(after=after, sort=sort))
