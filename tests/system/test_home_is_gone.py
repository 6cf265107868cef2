# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A device that comes home to find home gone tries its last candidate again, beside seeking.

Nothing else may be tried, and whatever replaces or drops that candidate is obeyed.
"""

import pytest

from muster_harness.wire.repl import REPL
from tests.system.board_time import hasty, hold
from tests.system.story import Label, Story

pytestmark = pytest.mark.hil_needs("clock")

_PATIENCE_S = 60.0
_SPEED = 10
_WRONG = [{"ssid": "factory", "psk": "incorrect horse", "hidden": False, "ip": "dhcp"}]


def strand(story: Story) -> Label:
    """The platform is down for longer than the trial lasts, and the onboarding network has been
    switched off meanwhile."""
    label = story.begin()
    story.operational.dhcp_s = 0.5
    story.switch_on()
    assert story.step(7, _PATIENCE_S).code == "ok"
    story.onboarding.remove()
    story.servers.platform.stop()
    with hasty(story.board, _SPEED):
        assert story.step(9, _PATIENCE_S).code == "platform_unreachable"
    return label


def platform_back(story: Story) -> None:
    story.servers.platform.start()
    story.servers.platform.wait_ready()


def at_work(story: Story, label: Label, version: int = 1) -> None:
    """Wait until it is, by itself; nobody has heard of a failure."""
    with hasty(story.board, _SPEED):
        assert story.committed(_PATIENCE_S) == version
    device = story.wait_for(
        label, lambda d: (d["state"], d["version"]) == ("registered", version), _PATIENCE_S
    )
    assert device["last"] is None


def kept(story: Story) -> bool:
    """Lead the device to its prompt and tell whether it keeps a candidate."""
    story.board.write(b"\x03")
    story.board.expect(rb">>> ", _PATIENCE_S)
    with REPL(story.board.port) as repl:
        names = repl.eval("__import__('os').listdir('/muster-state')")
    return any(name.startswith("candidate") for name in names)


def test_the_candidate_is_tried_again_when_home_is_gone(story: Story) -> None:
    label = strand(story)
    platform_back(story)
    at_work(story, label)


def test_home_that_is_there_again_is_told_why_the_trial_failed(story: Story) -> None:
    label = strand(story)
    with hasty(story.board, _SPEED):
        story.board.expect(rb"step 4 wifi_no_ap", _PATIENCE_S)
    story.onboarding.restore()
    with hasty(story.board, _SPEED):
        device = story.wait_for(label, lambda d: d["last"] is not None, _PATIENCE_S)
    assert (device["last"]["step"], device["last"]["code"]) == (9, "platform_unreachable")
    platform_back(story)
    at_work(story, label)


def test_a_power_cut_does_not_lose_the_candidate_that_is_kept(story: Story) -> None:
    label = strand(story)
    story.board.power_off()
    story.board.forget_output()
    platform_back(story)
    story.switch_on()
    at_work(story, label)


def test_a_power_cut_in_its_second_turn_does_not_lose_it_either(story: Story) -> None:
    label = strand(story)
    with hasty(story.board, _SPEED):
        story.board.expect(rb"step 4 wifi_no_ap", _PATIENCE_S)
        story.board.expect(rb"platform_unreachable[^\r\n]*; again in", _PATIENCE_S)
    story.board.power_off()
    story.board.forget_output()
    platform_back(story)
    story.switch_on()
    at_work(story, label)


def test_a_device_at_work_whose_network_changes_under_it_tries_what_failed_too_early(
    story: Story,
) -> None:
    """The profile has the new password before the access point has it."""
    label = story.onboard()
    later = [{"ssid": "factory", "psk": "new horse battery", "hidden": False, "ip": "dhcp"}]
    story.change_profile(networks=later)
    story.press()
    with hasty(story.board, _SPEED):
        assert story.step(7, _PATIENCE_S).code == "ok"
        assert story.step(8, _PATIENCE_S).code == "wifi_auth"
        story.board.expect(rb"step 9 ok", _PATIENCE_S)  # at home
    story.operational.password = "new horse battery"
    story.board.forget_output()
    with hasty(story.board, _SPEED):
        assert story.committed(_PATIENCE_S) == 2
    story.wait_for(label, lambda d: (d["state"], d["version"]) == ("registered", 2), _PATIENCE_S)


def test_what_the_server_has_taken_back_is_not_tried_any_more(story: Story) -> None:
    label = story.onboard()
    story.change_profile(networks=_WRONG)
    story.press()
    with hasty(story.board, _SPEED):
        assert story.step(7, _PATIENCE_S).code == "ok"
        assert story.step(8, _PATIENCE_S).code == "wifi_auth"
        story.board.expect(rb"step 9 ok", _PATIENCE_S)
    story.change_profile()
    story.board.forget_output()
    story.press()
    story.board.expect(rb"step 6 ok \d+ms keep", _PATIENCE_S)
    story.wait_for(label, lambda d: d["state"] == "registered", _PATIENCE_S)
    said = len(story.board.output)
    story.operational.remove()
    with hasty(story.board, _SPEED):
        for _ in range(6):
            story.board.expect(rb"step 8 wifi_no_ap", _PATIENCE_S)
    assert b"step 7" not in story.board.output[said:]


@pytest.mark.parametrize("seconds", [7, 20])
def test_a_long_press_drops_the_candidate(story: Story, seconds: int) -> None:
    strand(story)
    with hasty(story.board, _SPEED):
        story.board.expect(rb"step 4 wifi_no_ap", _PATIENCE_S)
    hold(story.board, seconds)
    story.board.expect(rb"button (?:5|15) s", _PATIENCE_S)
    said = len(story.board.output)
    platform_back(story)
    with hasty(story.board, _SPEED):
        for _ in range(5):
            story.board.expect(rb"step 4 wifi_no_ap", _PATIENCE_S)
    assert b"step 7" not in story.board.output[said:]
    assert not kept(story)


def test_a_short_press_ends_its_turn_and_seeks_at_once(story: Story) -> None:
    label = strand(story)
    with hasty(story.board, _SPEED):
        story.board.expect(rb"step 4 wifi_no_ap", _PATIENCE_S)
        story.board.expect(rb"platform_unreachable[^\r\n]*; again in", _PATIENCE_S)
    story.onboarding.restore()
    story.press()
    assert story.step(3, 10).code == "ok"
    platform_back(story)
    at_work(story, label)


def test_its_turns_come_less_and_less_often(story: Story) -> None:
    strand(story)
    story.operational.remove()
    with hasty(story.board, 40):
        for _ in range(6):
            story.board.expect(rb"step 7 ok", _PATIENCE_S)
    began = [
        int(line.split()[1])
        for line in bytes(story.board.output).splitlines()
        if b" I step 7 ok" in line
    ]
    pauses = [second - first for first, second in zip(began, began[1:], strict=False)]
    assert pauses[-1] > pauses[0], pauses
    assert 3_600_000 / (sum(pauses[-2:]) / 2) < 60, pauses
