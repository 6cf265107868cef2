# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Do groups and tags belong to their owner's device, and go with it?"""

from collections.abc import Iterator

import pytest

from muster_server.label import new_label
from tests.host_server.config_server.field import OWNER, Field, open_field


@pytest.fixture
def place() -> Iterator[Field]:
    with open_field() as opened:
        yield opened


def test_label_that_is_typed_again_changes_no_group(place: Field) -> None:
    device = place.registered()
    place.devices.change(device.id, OWNER, None, None, "hall 3", ["spare"])
    place.devices.register(device.label.qr_text, "press", "press 4", OWNER)
    shown = place.devices.shown(device.id, OWNER)
    assert (shown["group"], shown["tags"]) == ("hall 3", ["spare"])


def test_group_and_tags_end_with_the_ownership(place: Field) -> None:
    for is_at_work in (False, True):
        device = place.registered()
        if is_at_work:
            device.onboard()
        place.devices.change(device.id, OWNER, None, None, "hall 3", ["spare"])
        assert place.devices.views.counts(OWNER)["groups"] == {"hall 3": 1}
        place.devices.release(device.id, OWNER)
        counts = place.devices.views.counts(OWNER)
        assert (counts["groups"], counts["tags"]) == ({}, {})


def test_owners_do_not_see_each_others_groups(place: Field) -> None:
    label = new_label("PRESS-4")
    for owner, group in ((OWNER, "hall 3"), ("o-0000000001", "theirs")):
        place.devices.register(new_label("PRESS-4").qr_text, "press", "", owner)
        place.devices.change(label.device_id, owner, None, None, group, None)
    assert place.devices.shown("PRESS-4", OWNER)["group"] == "hall 3"
    assert place.devices.views.counts("o-0000000001")["groups"] == {"theirs": 1}
