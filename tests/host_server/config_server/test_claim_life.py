# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""How long does a registration live, and which one makes room for another?"""

import pytest

from muster_server.config_server.bundles import CARRIED_LIFE_S
from muster_server.errors import NotRecognised
from muster_server.label import new_label
from muster_server.store.claims import CLAIM_LIFE_S
from tests.host_server.config_server.field import OWNER, Device, Field


def test_label_sync_does_not_shorten_the_life_of_a_carried_bundle(place: Field) -> None:
    device = place.registered()
    device.apply_bundle()
    before = device.shown()["expires_at"]
    device.sync()
    assert device.shown()["expires_at"] == before == place.clock() + CARRIED_LIFE_S


def test_failed_receipt_does_not_shorten_the_life_of_a_carried_bundle(place: Field) -> None:
    device = place.registered()
    receipt = device.apply_bundle("wifi_no_ap")
    before = device.shown()["expires_at"]
    place.receipts.check(device.id, OWNER, receipt)
    assert device.shown()["expires_at"] == before


def test_registering_the_label_again_renews_the_registration(place: Field) -> None:
    device = place.registered()
    place.clock.pass_s(CLAIM_LIFE_S - 1)
    place.registered(device.label)
    assert device.shown()["expires_at"] == place.clock() + CLAIM_LIFE_S
    place.clock.pass_s(CLAIM_LIFE_S - 1)
    assert device.sync()["action"] == "configure"


def test_registration_whose_bundle_is_carried_makes_room_last(place: Field) -> None:
    carried = place.registered(new_label("PRESS-4"))
    carried.apply_bundle()
    for _ in range(6):
        place.clock.pass_s(1)
        place.registered(new_label("PRESS-4"))
    place.presence.end_expired()
    assert carried.sync("1")["action"] == "keep"


def squatted(place: Field) -> list[Device]:
    devices = []
    for _ in range(4):
        place.clock.pass_s(1)
        devices.append(place.registered(new_label("PRESS-4")))
        devices[-1].apply_bundle()
    return devices


def test_bundles_for_made_up_labels_keep_no_owner_out(place: Field) -> None:
    squatters = squatted(place)
    owner = place.registered(new_label("PRESS-4"))
    place.presence.end_expired()
    with pytest.raises(NotRecognised):
        squatters[-1].sync("1")
    owner.onboard()
    assert owner.shown()["claim"] == "proved"


def test_device_at_work_does_not_make_room(place: Field) -> None:
    carried = squatted(place)[-1]
    used = carried.configs[1]["platform"]["originator"]
    place.show_at_platform()
    place.platform.views = {used: place.platform.view}
    newcomer = place.registered(new_label("PRESS-4"))
    place.presence.end_expired()
    with pytest.raises(NotRecognised):
        newcomer.sync()
    assert carried.shown()["account"]["originator"] == used
    assert len(carried.tokens()) == 1
