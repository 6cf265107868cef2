# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The other half of the promise: whatever fails, the device comes home, says which step failed and
why, and succeeds once the cause is gone. Each failure has its real cause."""

import shutil

import pytest

from tests.system.board_time import hasty, hold, tries
from tests.system.middlemen import Middleman
from tests.system.story import Label, Story

pytestmark = pytest.mark.hil_needs("clock")


def failed(story: Story, step: int, code: str) -> None:
    """The device says that this step failed so; a trial has all its time for it."""
    with hasty(story.board):
        found = story.step(step)
        while found.code == "ok":
            found = story.step(step)
    assert (found.number, found.code) == (step, code)


def said_at_the_portal(story: Story, label: Label, step: int, code: str) -> str:
    device = story.wait_for(label, lambda device: device["last"] is not None)
    assert (device["last"]["step"], device["last"]["code"]) == (step, code)
    sentence: str = device["last"]["sentence"]
    return sentence


def test_a_wrong_wifi_password_is_named_and_corrected(story: Story) -> None:
    wrong = [{"ssid": "factory", "psk": "incorrect horse", "hidden": False, "ip": "dhcp"}]
    label = story.begin(networks=wrong)
    story.switch_on()
    failed(story, 8, "wifi_auth")
    sentence = said_at_the_portal(story, label, 8, "wifi_auth")
    assert "password" in sentence and "factory" in sentence
    story.change_profile()
    story.press()
    assert story.committed() == 2
    device = story.wait_for(label, lambda device: device["state"] == "registered")
    assert device["last"] is None


def test_an_absent_network_is_named_and_joined_when_it_is_back(story: Story) -> None:
    label = story.begin()
    story.operational.remove()
    story.switch_on()
    failed(story, 8, "wifi_no_ap")
    said_at_the_portal(story, label, 8, "wifi_no_ap")
    story.operational.restore()
    story.press()
    story.committed()


def test_a_platform_that_is_down_is_named_and_found_when_it_is_up(story: Story) -> None:
    label = story.begin()
    # The account is made when the configuration is handed out: until then it has to be up.
    story.operational.dhcp_s = 1.0
    story.switch_on()
    assert story.step(7).code == "ok"
    story.servers.platform.stop()
    failed(story, 9, "platform_unreachable")
    said_at_the_portal(story, label, 9, "platform_unreachable")
    story.servers.platform.start()
    story.servers.platform.wait_ready()
    story.press()
    story.committed()


def test_a_failure_that_healed_is_none_although_the_next_sync_is_half_a_day_away(
    story: Story,
) -> None:
    label = story.begin(policy={"failsafe_s": 60, "sync_s": 43200, "ntp": None})
    story.switch_on()
    story.committed()
    story.wait_for(label, lambda device: device["state"] == "registered")
    story.servers.platform.stop()
    story.board.reset()
    failed(story, 9, "platform_unreachable")
    with hasty(story.board, 5):
        said_at_the_portal(story, label, 9, "platform_unreachable")
    story.servers.platform.start()
    story.servers.platform.wait_ready()
    with hasty(story.board, 5):
        while story.step(9).code != "ok":
            pass
        device = story.wait_for(label, lambda device: device["state"] == "registered")
    assert device["last"] is None


REFUSAL = b"HTTP/1.1 403 Forbidden\r\nX-M2M-RSC: 4103\r\nContent-Length: 0\r\n\r\n"


def test_a_platform_that_refuses_is_named(story: Story) -> None:
    label = story.begin()
    true = (story.operational.gateway, 8422)
    with Middleman(true, lambda reply: REFUSAL) as refusing:
        story.air.on_connect = lambda board, host, port: (
            refusing.address if (host, port) == true else None
        )
        story.switch_on()
        failed(story, 9, "platform_refused")
        said_at_the_portal(story, label, 9, "platform_refused")
        story.air.on_connect = None
    story.press()
    story.committed()


def test_a_lost_reply_to_the_creation_of_the_ae_strands_nobody(story: Story) -> None:
    label = story.begin()
    true = (story.operational.gateway, 8422)
    with Middleman(true, lambda reply: None) as dropping:
        story.air.on_connect = lambda board, host, port: (
            dropping.address if (host, port) == true and dropping.count == 0 else None
        )
        story.switch_on()
        story.committed()
    assert dropping.count == 1
    assert f"muster:{label.device_id}" in story.application_entity(label)["lbl"]


def test_a_power_cut_in_the_middle_of_the_trial_is_told_and_repeated(story: Story) -> None:
    label = story.begin()
    story.operational.dhcp_s = 5.0
    story.switch_on()
    story.wait_until_joined("factory")
    story.board.power_off()
    story.operational.dhcp_s = 0.02
    story.board.forget_output()
    story.switch_on()
    failed(story, 8, "power_lost")
    story.committed()
    device = story.wait_for(label, lambda device: device["state"] == "registered")
    assert device["version"] == 1


def test_a_power_cut_once_the_server_knows_it_keeps_the_new_configuration(story: Story) -> None:
    label = story.begin()
    true = (story.operational.gateway, 8421)

    def cut(reply: bytes) -> None:
        story.board.power_off()

    with Middleman(true, cut) as cutting:
        story.air.on_connect = lambda board, host, port: (
            cutting.address if (host, port) == true else None
        )
        story.switch_on()
        # The server has heard the confirming sync; the device never gets the answer.
        story.wait_for(label, lambda device: device["state"] == "registered")
        story.air.on_connect = None
    story.board.forget_output()
    story.switch_on()
    assert story.committed() == 1
    assert story.step(9).code == "ok"


def test_a_new_configuration_that_fails_leaves_the_running_one_at_work(story: Story) -> None:
    label = story.onboard()
    story.first_reading(label)
    wrong = [{"ssid": "factory", "psk": "incorrect horse", "hidden": False, "ip": "dhcp"}]
    story.change_profile(networks=wrong)
    story.press()
    failed(story, 8, "wifi_auth")
    said_at_the_portal(story, label, 8, "wifi_auth")
    said = tries(story.board, "step 8 wifi_auth", seconds=8)
    assert said <= 5, "it must ask for something better before it tries again, ever later"
    story.change_profile(app={"interval_s": 2})
    story.press()
    assert story.committed() == 3
    story.wait_for(label, lambda device: device["state"] == "registered")


def test_taking_a_failed_change_back_leaves_the_device_registered(story: Story) -> None:
    label = story.onboard()
    wrong = [{"ssid": "factory", "psk": "incorrect horse", "hidden": False, "ip": "dhcp"}]
    story.change_profile(networks=wrong)
    story.press()
    failed(story, 8, "wifi_auth")
    said_at_the_portal(story, label, 8, "wifi_auth")
    story.change_profile()
    story.press()
    device = story.wait_for(label, lambda device: device["state"] == "registered")
    assert device["version"] == 1


def test_a_long_press_cuts_a_wait_short_without_a_restart(story: Story) -> None:
    story.servers.wait_ready()
    label = story.make_label()
    story.write_label(label)
    story.add_profile()
    story.portal("POST", "/v1/vendor/devices", {"labels": [label.text]})
    story.switch_on()
    assert story.step(6).detail == "wait"
    hold(story.board, 7)
    story.board.expect(rb"button 5 s", 5)
    assert story.step(6).detail == "wait"
    assert b"unexpected error" not in story.board.output
    story.register(label)
    story.committed()


def test_an_unregistered_device_completes_as_soon_as_it_is_registered(story: Story) -> None:
    story.servers.wait_ready()
    label = story.make_label()
    story.write_label(label)
    story.add_profile()
    story.switch_on()
    failed(story, 5, "server_rejected")
    story.register(label)
    story.committed()  # by itself: no press


def test_a_device_that_only_its_vendor_knows_waits_for_its_owner(story: Story) -> None:
    story.servers.wait_ready()
    label = story.make_label()
    story.write_label(label)
    story.add_profile()
    story.portal("POST", "/v1/vendor/devices", {"labels": [label.text]})
    story.switch_on()
    assert story.step(6).detail == "wait"
    story.register(label)
    story.committed()  # by itself: no press


def test_a_device_with_another_secret_is_not_recognised(story: Story) -> None:
    story.servers.wait_ready()
    label = story.make_label()
    story.write_label(Label(label.device_id, label.text, bytes(20)))
    story.add_profile()
    story.register(label)
    story.switch_on()
    failed(story, 5, "server_rejected")
    assert story.device(label)["claim"] == "unproved"


def test_a_bent_answer_is_not_trusted(story: Story) -> None:
    story.begin()
    true = (story.onboarding.gateway, 8421)

    def bend(reply: bytes) -> bytes:
        return reply[:-1] + bytes([reply[-1] ^ 1])

    with Middleman(true, bend) as bending:
        story.air.on_connect = lambda board, host, port: (
            bending.address if (host, port) == true else None
        )
        story.switch_on()
        failed(story, 6, "server_untrusted")
        story.air.on_connect = None
    story.press()
    story.committed()


def test_an_answer_cut_short_is_a_failed_exchange(story: Story) -> None:
    story.begin()
    true = (story.onboarding.gateway, 8421)
    with Middleman(true, lambda reply: reply[:-20]) as cutting:
        story.air.on_connect = lambda board, host, port: (
            cutting.address if (host, port) == true else None
        )
        story.switch_on()
        step = story.step(5)
        assert step.code == "server_unreachable"
        story.air.on_connect = None
    story.press()
    story.committed()


def test_ssids_that_are_no_text_are_seen_and_reported(story: Story) -> None:
    story.air.add_access_point(b"\xc6net\x00\xff", rssi=-30)
    story.air.add_access_point("Büro", rssi=-31)
    label = story.begin()
    story.switch_on()
    story.committed()
    device = story.wait_for(label, lambda device: device["state"] == "registered")
    seen = [network[0] for network in device["device"]["scan"]]
    assert seen[:2] == ["base64:xm5ldAD/", "Büro"]  # nothing that a terminal obeys


def test_the_label_opens_the_door_once(story: Story) -> None:
    label = story.onboard()
    story.wait_for(label, lambda device: device["state"] == "registered")
    story.board.power_off()
    # A thief with a copy of the label: the same identity on a blank board.
    shutil.rmtree(story.directory / "stolen", ignore_errors=True)
    story.board.erase_flash()
    story.deploy()
    story.write_label(label)
    story.board.forget_output()
    story.switch_on()
    assert story.step(6).detail == "wait"
    story.portal("POST", f"/v1/devices/{label.device_id}/window")
    story.press()
    assert story.committed() == 2


def test_a_restored_server_speaks_to_a_device_that_is_ahead_of_it(story: Story) -> None:
    label = story.begin()
    story.servers.config.stop()
    kept = story.directory / "kept"
    shutil.copytree(story.servers.data, kept)
    story.servers.config.start()
    story.servers.config.wait_ready()
    story.switch_on()
    assert story.committed() == 1
    story.wait_for(label, lambda device: device["state"] == "registered")
    story.servers.config.stop()
    for old in kept.glob("config*"):
        shutil.copy2(old, story.servers.data / old.name)
    story.servers.config.start()
    story.servers.config.wait_ready()
    hold(story.board, 7)
    assert story.committed() == 2
