# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The alternative flow: the nine steps without any network for onboarding."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.offline_story import OfflineStory


@pytest.fixture
def story(tmp_path: Path, deployed_flash: Path) -> Iterator[OfflineStory]:
    with OfflineStory(tmp_path, flash=deployed_flash) as story:
        yield story


def test_nine_steps_with_a_bundle_and_its_receipt(story: OfflineStory) -> None:
    label = story.begin()
    story.switch_on()
    file = story.make_bundle(label)
    assert story.device(label)["state"] == "handed_out"
    said = story.carry(file)
    assert (said["code"], said["version"]) == ("ok", 1)
    assert story.device(label)["claim"] == "unproved"  # no sync has told anything
    verdict = story.enter_receipt(label, said["receipt"])
    assert verdict["verdict"] == "accepted"
    device = story.device(label)
    assert [step["state"] for step in device["steps"]] == ["done"] * 9
    assert (device["state"], device["claim"]) == ("registered", "proved")
    assert f"muster:{label.device_id}" in story.application_entity(label)["lbl"]
    story.first_reading(label)
    joined = [event.details["ssid"] for event in story.air.traced("join")]
    assert joined == [b"factory"]


def test_wrong_password_comes_back_as_a_receipt_and_is_mended_by_the_next_bundle(
    story: OfflineStory,
) -> None:
    wrong = {"ssid": "factory", "psk": "incorrect horse", "hidden": False, "ip": "dhcp"}
    label = story.begin(networks=[wrong])
    story.switch_on()
    said = story.carry(story.make_bundle(label))
    assert said["code"] == "wifi_auth"
    with pytest.raises(subprocess.CalledProcessError) as refused:
        story.enter_receipt(label, said["receipt"])
    assert json.loads(refused.value.stdout)["verdict"] == "failed"
    last = story.device(label)["last"]
    assert "password for 'factory' was refused" in last["sentence"]
    story.change_profile()
    said = story.carry(story.make_bundle(label))
    assert story.enter_receipt(label, said["receipt"])["version"] == said["version"] == 2


def test_device_that_meets_its_configuration_server_later_is_as_if_onboarded_online(
    tmp_path: Path, deployed_flash: Path
) -> None:
    with OfflineStory(tmp_path, flash=deployed_flash, has_server=True) as story:
        label = story.begin()
        file = story.make_bundle(label)
        story.servers.config.stop()
        story.switch_on()
        assert story.carry(file)["code"] == "ok"
        story.servers.config.start()
        story.servers.config.wait_ready()
        story.press()
        device = story.wait_for(label, lambda device: device["version"] == 1)
        assert (device["state"], device["bundle"]["state"]) == ("registered", "applied")
        story.change_profile(app={"interval_s": 2})
        story.press()
        assert story.committed() >= 1
        story.wait_for(label, lambda device: device["version"] == 2)
