# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A trial is as patient as its failsafe.

What passes by itself is no failure, neither on the device nor at the portal; what lasts is told by
its most telling cause.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from muster_harness.log import Log
from muster_harness.units.emulated import EmulatedBoard
from muster_harness.units.unit import Unit
from tests.system.board_time import hasty
from tests.system.middlemen import Middleman
from tests.system.named import NAME, NamedPlatform
from tests.system.story import Label, Story

pytestmark = pytest.mark.hil_needs("clock")

_PATIENCE_S = 60.0
_STEERED_S = 15.0  # six tries are more than band steering refuses; a trial has a minute at least
_BUSY = b"HTTP/1.1 %d -\r\nRetry-After: 2\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture
def named(tmp_path: Path, hil_unit: Unit, hil_log: Log) -> Iterator[Story]:
    """A story whose platform has a name."""
    assert isinstance(hil_unit, EmulatedBoard)
    hil_unit.power_off()
    with Story(tmp_path, board=hil_unit, log=hil_log, platform=NamedPlatform) as story:
        story.operational.names[NAME] = story.operational.gateway
        story.operational.dns.patience_s = 0.5
        yield story


def healed(story: Story, label: Label, failure: str = "; again in ") -> str:
    """The device is at work, and nobody has heard of a failure; what the device said."""
    with hasty(story.board, speed=4):
        assert story.committed(_PATIENCE_S) == 1
    device = story.wait_for(label, lambda d: d["state"] == "registered", _PATIENCE_S)
    assert device["last"] is None
    timeline = story.timeline(label)
    assert timeline["first_cause"] is None, timeline
    said = bytes(story.board.output).decode(errors="replace")
    assert not re.search(r"E step [789]", said)
    assert failure in said, "nothing has failed in this test"
    return said


def close_home_when_left(story: Story) -> None:
    """The operator switches the onboarding network off as soon as the device is on the other."""
    assert story.step(7, _PATIENCE_S).code == "ok"
    story.onboarding.remove()


def test_a_name_server_that_is_silent_for_a_while_is_asked_again_although_home_is_closed(
    named: Story,
) -> None:
    label = named.begin()
    named.operational.dns.be_silent(lookups=3)
    named.switch_on()
    close_home_when_left(named)
    said = healed(named, label)
    assert "9 platform_unreachable" in said
    joins = [e for e in named.air.traced("join") if e.details["ssid"] == b"factory"]
    assert len(joins) <= 2  # what holds is kept


@pytest.mark.parametrize("reason", [2, 5, 15, 202, 203])
def test_a_network_that_steers_the_device_away_at_first_is_tried_on(
    story: Story, reason: int
) -> None:
    label = story.begin()
    story.operational.refuse(reason, times=3)
    story.switch_on()
    close_home_when_left(story)
    healed(story, label, f": status {reason}\r\n")


@pytest.mark.parametrize("status", [429, 503])
def test_a_platform_that_is_busy_is_asked_again(story: Story, status: int) -> None:
    label = story.begin()
    true = (story.operational.gateway, 8422)
    with Middleman(true, lambda reply: _BUSY % status) as busy:
        story.air.on_connect = lambda board, host, port: (
            busy.address if (host, port) == true and busy.count < 2 else None
        )
        story.switch_on()
        close_home_when_left(story)
        healed(story, label)
        story.air.on_connect = None


def test_an_answer_that_is_cut_off_is_asked_for_again_on_the_same_join(story: Story) -> None:
    label = story.begin()
    true = (story.operational.gateway, 8422)
    with Middleman(true, lambda reply: None) as cutting:
        story.air.on_connect = lambda board, host, port: (
            cutting.address if (host, port) == true and cutting.count < 3 else None
        )
        story.switch_on()
        close_home_when_left(story)
        healed(story, label)
        story.air.on_connect = None
    joins = [e for e in story.air.traced("join") if e.details["ssid"] == b"factory"]
    assert len(joins) == 1


def test_a_network_that_is_away_for_a_while_in_the_middle_of_step_9_is_joined_anew(
    story: Story,
) -> None:
    label = story.begin()
    story.operational.impairment.latency_s = 1.0
    story.switch_on()
    assert story.step(8, _PATIENCE_S).code == "ok"
    story.onboarding.remove()
    story.operational.remove()
    story.operational.impairment.latency_s = 0.0
    with hasty(story.board, speed=10):
        story.board.expect(rb"wifi_no_ap[^\r\n]*; again in", _PATIENCE_S)
    story.operational.restore()
    healed(story, label)


def test_a_link_that_dies_in_the_trial_is_joined_anew(story: Story) -> None:
    label = story.begin()
    story.operational.impairment.latency_s = 1.0
    story.switch_on()
    assert story.step(8, _PATIENCE_S).code == "ok"
    story.onboarding.remove()
    assert story.operational.go_dead()
    story.operational.impairment.latency_s = 0.0
    healed(story, label)
    joins = [e for e in story.air.traced("join") if e.details["ssid"] == b"factory"]
    assert len(joins) == 2


def test_a_password_that_is_refused_again_and_again_ends_the_trial_early(story: Story) -> None:
    wrong = [{"ssid": "factory", "psk": "incorrect horse", "hidden": False, "ip": "dhcp"}]
    label = story.begin(networks=wrong)
    story.switch_on()
    failed = story.step(8, _PATIENCE_S)
    assert failed.code == "wifi_auth" and "refused 6 times" in failed.detail
    assert failed.duration_s < _STEERED_S
    device = story.wait_for(label, lambda d: d["last"] is not None, _PATIENCE_S)
    assert device["last"]["code"] == "wifi_auth"


def test_refusals_that_change_are_not_taken_for_a_wrong_password(story: Story) -> None:
    label = story.begin()
    for _ in range(30):
        story.operational.refuse(15, times=3)
        story.operational.refuse(203, times=3)
    story.switch_on()
    with hasty(story.board, speed=10):
        failed = story.step(8, _PATIENCE_S)
    assert failed.code == "wifi_timeout" and "status 15, 203," in failed.detail
    device = story.wait_for(label, lambda d: d["last"] is not None, _PATIENCE_S)
    assert device["last"]["code"] == "wifi_timeout"


def test_what_came_farthest_is_told_although_something_else_failed_last(story: Story) -> None:
    label = story.begin()
    story.operational.dhcp_s = 1.0
    story.switch_on()
    assert story.step(7, _PATIENCE_S).code == "ok"
    story.servers.platform.stop()
    with hasty(story.board, speed=10):
        story.board.expect(rb"platform_unreachable[^\r\n]*; again in", _PATIENCE_S)
        story.operational.remove()
        failed = story.step(9, _PATIENCE_S)
    assert failed.code == "platform_unreachable" and "also wifi_no_ap" in failed.detail
    device = story.wait_for(label, lambda d: d["last"] is not None, _PATIENCE_S)
    assert device["last"]["code"] == "platform_unreachable"
