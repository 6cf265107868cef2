# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Oddities of other people's networks that do a device no harm."""

import pytest

from tests import secrecy
from tests.system.board_time import hasty
from tests.system.story import Story

pytestmark = pytest.mark.hil_needs("clock")

_PATIENCE_S = 60.0
ODD = [
    ("The network upstairs", "correct horse battery"),
    ('Bill "the" \\ Wi-Fi', "quote \" and 'another' \\ n"),
    ("\N{HOT BEVERAGE} café", "$(reboot); #%s & {0} `x`"),
    ("x" * 32, "p" * 63),
]


@pytest.mark.parametrize(("ssid", "psk"), ODD, ids=["spaces", "quotes", "emoji", "longest"])
def test_a_network_of_any_name_and_passphrase_is_joined(story: Story, ssid: str, psk: str) -> None:
    secrecy.hide(psk)
    story.operational.remove()
    home = story.air.add_access_point(ssid, password=psk, beside=story.operational)
    network = {"ssid": ssid, "psk": psk, "hidden": False, "ip": "dhcp"}
    label = story.begin(networks=[network])
    story.switch_on()
    story.committed(_PATIENCE_S)
    assert story.air.traced("join")[-1].details["bssid"] == home.bssid.hex(":")
    story.wait_for(label, lambda device: device["state"] == "registered")
    assert story.device(label)["networks"] == [ssid]


def test_a_router_that_is_replaced_is_found(story: Story) -> None:
    label = story.onboard()
    story.first_reading(label)
    story.operational.remove()
    new = story.air.add_access_point(
        "factory", password=story.password, channel=3, beside=story.operational
    )
    with hasty(story.board, speed=5):
        while story.step(9, _PATIENCE_S).code != "ok":
            pass
    assert story.air.traced("join")[-1].details["bssid"] == new.bssid.hex(":")


@pytest.mark.parametrize("lack", ["name server", "router and name server", "all but one address"])
def test_a_lease_with_little_in_it_is_enough(story: Story, lack: str) -> None:
    dhcp = story.operational.dhcp
    if lack == "all but one address":
        dhcp.prefix_length = 32
    else:
        dhcp.dns = None
        if lack != "name server":
            dhcp.router = None
    label = story.begin()
    story.switch_on()
    story.committed(_PATIENCE_S)
    story.first_reading(label, _PATIENCE_S)
