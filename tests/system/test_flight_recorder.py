# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The flight recorder: one table of what device, servers and platform saw of an onboarding."""

import re

import pytest

from tests.system.board_time import hasty
from tests.system.story import Story

pytestmark = pytest.mark.hil_needs("clock")


def test_first_cause_of_a_failure_is_found_and_outlives_restarts(story: Story) -> None:
    wrong = [{"ssid": "factory", "psk": "incorrect horse", "hidden": False, "ip": "dhcp"}]
    label = story.begin(networks=wrong)
    story.switch_on()
    with hasty(story.board):
        story.wait_for(label, lambda device: device["last"] is not None, timeout_s=30)
    before = story.timeline(label)
    cause = before["first_cause"]
    assert (cause["source"], cause["step"], cause["code"]) == ("device", 8, "wifi_auth")
    assert "password for 'factory' was refused" in cause["sentence"]

    for server in (story.servers.config, story.servers.platform):
        server.stop()
        server.start()
        server.wait_ready()
    after = story.timeline(label)
    assert after["entries"][: len(before["entries"])] == before["entries"]

    story.change_profile()
    story.press()
    story.committed()
    story.wait_for(label, lambda device: device["state"] == "registered")
    story.first_reading(label)
    timeline = story.timeline(label)
    told = [(entry["source"], entry["what"], entry["step"]) for entry in timeline["entries"]]
    in_order = [
        ("portal", "claimed", 1),
        ("config", "prepared", 2),
        ("config", "handed_out", 6),
        ("platform", "registered", 9),
        ("config", "proved", None),
    ]
    assert set(in_order) <= set(told), told
    places = [told.index(entry) for entry in in_order]
    assert places == sorted(places)
    # What the device tells is reckoned back from when it was heard. That was too far while its
    # clock ran faster than the servers'; the second onboarding ran at their pace.
    handed_out = [n for n, entry in enumerate(told) if entry == ("config", "handed_out", 6)]
    joined = [n for n, entry in enumerate(told) if entry == ("device", "step", 8)]
    assert handed_out[-1] < joined[-1] < told.index(("config", "proved", None)), told
    assert ("platform", "account_made", 9) in told
    assert timeline["first_cause"]["code"] == "wifi_auth"
    # Nothing is told twice, and nothing is left out.
    joins = [e["code"] for e in timeline["entries"] if (e["source"], e["step"]) == ("device", 8)]
    assert joins == [code.decode() for code in re.findall(rb"step 8 (\w+)", story.board.output)]
