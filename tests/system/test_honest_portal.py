# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Is what the portal tells of a device what the device is at?"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from typing import Any

import pytest
import requests

from tests import secrecy
from tests.children import ended
from tests.system.board_time import hold
from tests.system.story import Label, Story

_PATIENCE_S = 40.0


def facts(device: Any) -> tuple[Any, ...]:
    """Version that runs, version and step and code of the attempt, and what is waited for."""
    runs, attempt = device["runs"], device["attempt"]
    return (
        runs and runs["version"],
        attempt and (attempt["version"], attempt["step"], attempt["code"]),
        device["waiting_for"]["what"],
    )


@pytest.mark.hil_needs("clock")
def test_a_device_that_was_reset_is_told_as_soon_as_it_has_spoken(story: Story) -> None:
    label = story.onboard()
    device = story.wait_for(label, lambda device: device["state"] == "registered")
    assert facts(device) == (1, (1, 9, "ok"), "nothing")
    hold(story.board, 20)
    story.board.expect(rb"configuration forgotten", 5)
    assert story.step(6).detail == "wait"
    device = story.wait_for(label, lambda device: device["label_used"] is not None)
    assert device["waiting_for"]["what"] == "open_after_reset"
    assert device["label_used"]["state"] == "blank"
    assert device["runs"]["is_certain"] is False
    shown = story.owner("device", "show", label.device_id)
    assert "unless it was reset" in shown
    assert f"muster device open {label.device_id}" in shown
    story.owner("device", "open", label.device_id)
    assert facts(story.device(label))[2] == "press"
    story.press()
    assert story.committed() == 2
    device = story.wait_for(label, lambda device: facts(device)[0] == 2)
    assert (facts(device), device["label_used"]) == ((2, (2, 9, "ok"), "nothing"), None)


def test_a_device_that_runs_one_version_and_failed_at_the_next_says_both(story: Story) -> None:
    label = story.onboard()
    story.wait_for(label, lambda device: device["state"] == "registered")
    wrong = [{"ssid": "nowhere", "psk": "correct horse", "hidden": False, "ip": "dhcp"}]
    story.change_profile(networks=wrong, policy={"failsafe_s": 60, "sync_s": 5, "ntp": None})
    assert facts(story.device(label))[2] == "contact"
    story.press()
    device = story.wait_for(
        label, lambda device: device["state"] == "failed", timeout_s=2 * _PATIENCE_S + 60
    )
    assert facts(device)[:2] == (1, (2, 8, "wifi_no_ap"))
    assert "'nowhere'" in device["attempt"]["sentence"]
    # From time to time it tries again, and is under way meanwhile.
    listed, ends = "", time.monotonic() + 2 * _PATIENCE_S
    while label.device_id not in listed and time.monotonic() < ends:
        listed = story.owner("device", "list", "--attempt", "wifi_no_ap")
    assert label.device_id in listed and "2: 8 wifi_no_ap" in listed
    assert story.owner("device", "list", "--state", "registered").startswith("no device fits")


def test_a_device_that_its_platform_refuses_is_not_called_registered(story: Story) -> None:
    label = story.onboard()
    device = story.wait_for(label, lambda device: device["state"] == "registered")
    story.first_reading(label)
    story.board.power_off()
    close_account(story, device["account"]["originator"])
    story.switch_on()
    device = story.wait_for(label, lambda device: device["state"] != "registered", _PATIENCE_S)
    assert facts(device) == (1, (1, 9, "platform_refused"), "mend")


def close_account(story: Story, originator: str) -> None:
    answer = requests.delete(
        f"{story.servers.platform.url}/accounts/{originator}",
        headers={"Authorization": f"Bearer {story.servers.platform_token}"},
        timeout=10,
    )
    assert answer.status_code == 204


def test_readings_are_followed_by_their_owner_and_read_by_a_backend(story: Story) -> None:
    label = story.onboard()
    story.first_reading(label)
    assert "heap_free" in story.owner("readings", label.device_id)
    lines = followed_until(story, label, 3)
    assert all("heap_free" in line for line in lines)
    reader = json.loads(story.owner("reader", "add", "dashboard", "--json"))
    secrecy.hide(reader["token"])
    originator = story.device(label)["account"]["originator"]
    path = f"/cse-in/{originator}/data/la"
    answer = retrieve(story, path, reader["originator"], reader["token"])
    assert json.loads(answer.json()["m2m:cin"]["con"])["name"] == "heap_free"
    story.owner("reader", "remove", "dashboard")
    assert retrieve(story, path, reader["originator"], reader["token"]).status_code == 401


def followed_until(story: Story, label: Label, count: int) -> list[str]:
    """The first lines of `muster readings --follow`, which Ctrl-C ends."""
    servers = story.servers
    command = [sys.executable, "-m", "muster_server", "readings", label.device_id, "--follow"]
    command += ["--portal", servers.portal_url, "--token-file", str(servers.token_file)]
    started = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"PATH": os.environ["PATH"]},
    )
    with ended(started) as process:
        assert process.stdout is not None
        end = threading.Timer(_PATIENCE_S, process.kill)
        end.start()
        try:
            lines = [process.stdout.readline() for _ in range(count)]
        finally:
            end.cancel()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=_PATIENCE_S)
        assert process.returncode == 130
        assert "Traceback" not in said
        return lines


def retrieve(story: Story, path: str, originator: str, token: str) -> requests.Response:
    headers = {
        "X-M2M-Origin": originator,
        "X-M2M-RI": "1",
        "X-M2M-RVI": "4",
        "Authorization": f"Bearer {token}",
    }
    return requests.get(story.servers.platform.url + path, headers=headers, timeout=10)
