# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The use case: each step works, is visible, and is tested under its own number."""

import json

import pytest
import requests

from tests.system.story import Story


def test_the_nine_steps_in_order(story: Story) -> None:
    label = story.begin()
    story.switch_on()
    story.press()
    steps = [story.next_step() for _ in range(7)]
    assert [(step.number, step.code) for step in steps] == [(n, "ok") for n in range(3, 10)]
    assert story.committed() == 1
    device = story.wait_for(label, lambda device: device["state"] == "registered")
    assert [step["state"] for step in device["steps"]] == ["done"] * 9
    assert device["claim"] == "proved"
    assert device["window"]["open"] is False


def test_the_platform_shows_the_device_and_its_first_reading(story: Story) -> None:
    label = story.onboard()
    entity = story.application_entity(label)
    assert f"muster:{label.device_id}" in entity["lbl"]
    reading = json.loads(story.first_reading(label)["con"])
    assert reading["name"] == "heap_free"
    assert reading["value"] > 0


def test_the_timeline_stands_at_the_platform(story: Story) -> None:
    label = story.onboard()
    originator = story.device(label)["account"]["originator"]
    story.first_reading(label)
    kept = json.loads(story.platform(f"/cse-in/{originator}/muster/la")["m2m:cin"]["con"])
    steps = [entry[:2] for entry in kept["timeline"]]
    assert steps[:7] == [[n, "ok"] for n in range(3, 10)]
    assert steps.count([3, "ok"]) == 1  # and none of another device


def test_firmware_deployed_as_source_does_the_same(story: Story) -> None:
    story.deploy(form="py")
    label = story.onboard()
    story.first_reading(label)


@pytest.mark.hil_needs("air")
def test_one_query_and_one_exchange_are_all_that_the_onboarding_network_carries(
    story: Story,
) -> None:
    story.onboard()
    events = story.air.traced("address", "leave", "datagram", "connect")
    begin = next(i for i, event in enumerate(events) if event.what == "address")
    end = next(i for i, event in enumerate(events) if event.what == "leave" and i > begin)
    sent = [event for event in events[begin:end] if event.details.get("way") != "rx"]
    assert [event.what for event in sent] == ["address", "datagram", "connect"]


@pytest.mark.hil_needs("power")
def test_a_committed_device_comes_back_by_itself_after_a_power_cut(story: Story) -> None:
    story.onboard()
    story.board.power_off()
    story.board.forget_output()
    story.switch_on()
    assert story.next_step().number == 8
    assert story.next_step().code == "ok"


@pytest.mark.hil_needs("air", "power")
def test_a_committed_device_needs_no_configuration_server_to_start(story: Story) -> None:
    label = story.onboard()
    story.first_reading(label)
    story.servers.config.stop()
    story.board.power_off()
    story.board.forget_output()
    story.switch_on()
    assert story.step(9).code == "ok"


@pytest.mark.hil_needs("button")
def test_a_new_profile_reaches_a_committed_device_on_a_short_press(story: Story) -> None:
    label = story.onboard()
    story.change_profile(app={"interval_s": 2})
    story.press()
    assert story.committed() == 2
    story.wait_for(label, lambda device: device["version"] == 2)


def test_a_mistyped_label_is_refused_with_the_reason(story: Story) -> None:
    story.servers.wait_ready()
    story.add_profile()
    label = story.make_label()
    last = "A" if label.text[-1] != "A" else "B"
    request = {"label": label.text[:-1] + last, "profile": "demo", "name": "press 4"}
    with pytest.raises(requests.HTTPError, match="check") as refused:
        story.portal("POST", "/v1/devices", request)
    assert refused.value.response is not None
    assert refused.value.response.status_code == 422
