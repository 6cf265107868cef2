# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does a device go from one owner to the next in one step?"""

import pytest

from muster_server.config_server.transfer import TransferService
from muster_server.errors import Conflict, NotFound
from tests.host_server.config_server.field import OWNER, PROFILE, Device, Field

NEXT = "o-next"


@pytest.fixture
def transfers(place: Field) -> TransferService:
    place.profiles.add(PROFILE | {"name": "o-next.home"})
    return TransferService(place.store, place.devices, place.clock)


def test_device_at_work_forgets_and_comes_to_its_next_owner(
    place: Field, transfers: TransferService
) -> None:
    device = place.registered()
    version = device.onboard()
    known = transfers.transfer(device.id, OWNER, NEXT, "o-next.home", "cellar")
    assert known["networks"] == ["factory"] and len(known["accounts"]) == 1
    with pytest.raises(NotFound):
        place.devices.shown(device.id, OWNER)
    shown = place.devices.shown(device.id, NEXT)
    assert (shown["name"], shown["profile"], shown["window"]["open"]) == (
        "cellar",
        "o-next.home",
        True,
    )
    assert device.sync(str(version), state="committed")["action"] == "forget"
    assert Device(place, device.label).sync()["action"] == "configure"


def test_nothing_changes_if_it_cannot_go(place: Field, transfers: TransferService) -> None:
    device = place.registered()
    with pytest.raises(Conflict, match="yours already"):
        transfers.transfer(device.id, OWNER, OWNER, "press", "")
    with pytest.raises(NotFound, match="no profile"):
        transfers.transfer(device.id, OWNER, NEXT, "nowhere", "")
    with pytest.raises(NotFound):
        transfers.transfer(device.id, NEXT, OWNER, "press", "")
    assert place.devices.shown(device.id, OWNER)["profile"] == "press"
