# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The owner learns which network somebody has given the device, and not its password."""

import json
import time
from typing import Any

import requests

from tests import secrecy
from tests.system.story import Story
from tests.wire.labels import setup_passphrase

_PASSWORD = "gherkin lantern nine"
_PATIENCE_S = 30.0


def test_the_owner_is_told_its_name_and_not_its_password(story: Story) -> None:
    secrecy.hide(_PASSWORD)
    shop = story.air.add_access_point(
        "shop", password=_PASSWORD, channel=6, rssi=-60, beside=story.operational
    )
    policy = {"failsafe_s": 60, "sync_s": 3600, "ntp": None, "local_wifi": True}
    label = story.begin(policy=policy)
    story.switch_on()
    story.committed()
    story.first_reading(label)
    _press_twice(story)
    story.board.expect(rb"setup network SETUP-\S+, http", _PATIENCE_S)
    passphrase = setup_passphrase(label.device_id, label.secret)
    with story.air.visit(f"SETUP-{label.device_id}", passphrase, name="phone") as phone:
        form = {"other": (None, "shop"), "password": (None, _PASSWORD)}
        assert requests.post(phone.url(path="/wifi"), files=form, timeout=20).ok
    story.board.expect(rb"setup the network shop is kept", _PATIENCE_S)
    device = story.wait_for(label, _is_told, _PATIENCE_S)
    assert shop.stations
    shown = story.owner("device", "show", label.device_id)
    assert "given networks  shop (at its setup page)" in shown
    assert _PASSWORD not in json.dumps(device) + shown


def _is_told(device: Any) -> bool:
    return bool(device["device"]["local_networks"] == ["shop"])


def _press_twice(story: Story) -> None:
    for _ in range(2):
        story.board.press("button", ms=120)
        time.sleep(0.1)
