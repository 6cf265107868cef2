# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The alternative flow: the nine steps without any network for onboarding."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system import demo_offline
from tests.system.board_time import hasty
from tests.system.offline_story import OfflineStory
from tests.system.telling import Teller


@pytest.fixture
def story(tmp_path: Path, deployed_flash: Path) -> Iterator[OfflineStory]:
    with OfflineStory(tmp_path, flash=deployed_flash) as story:
        yield story


def test_nine_steps_as_the_demo_tells_them(
    story: OfflineStory, capsys: pytest.CaptureFixture[str]
) -> None:
    label, teller = story.begin(), Teller()
    story.switch_on()
    said = demo_offline.bring(story, teller, label)
    assert (said["code"], said["version"]) == ("ok", 1)
    before = story.device(label)
    assert before["version"] == 0  # no sync and no receipt has told which one it runs
    demo_offline.acknowledge(story, teller, label, said)
    told = [line.split()[0] for line in capsys.readouterr().out.splitlines() if "  ok  " in line]
    assert told == ["3", "4", "5", "6", "7", "8", "9"]
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
    bundle = story.make_bundle(label)
    with hasty(story.board):
        said = story.carry(bundle)
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
