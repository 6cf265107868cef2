# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Somebody has a copy of a device's account at the product's own platform, and was there first.

The same at a platform of others is told in test_acme.py.
"""

import requests

from tests.system.story import Label, Story


def account(story: Story, label: Label) -> str:
    return str(story.device(label)["account"]["originator"])


def register_with(story: Story, originator: str) -> None:
    """Register as another device with this originator, and with a token that is good for it."""
    url = story.servers.platform.url
    administrator = {"Authorization": f"Bearer {story.servers.platform_token}"}
    made = requests.put(f"{url}/accounts/{originator}", headers=administrator, timeout=5)
    headers = {
        "X-M2M-Origin": originator,
        "X-M2M-RI": "1",
        "X-M2M-RVI": "4",
        "Content-Type": "application/json;ty=2",
        "Authorization": f"Bearer {made.json()['token']}",
    }
    body = {"rn": originator, "api": "Norg.example.press", "rr": False, "srv": ["4"]}
    named = {"m2m:ae": body | {"lbl": ["muster:THIEF"]}}
    answer = requests.post(f"{url}/cse-in", json=named, headers=headers, timeout=5)
    assert answer.headers["X-M2M-RSC"] == "2001"


def test_a_copied_originator_is_noticed_and_a_new_account_lets_the_device_in(
    story: Story,
) -> None:
    label = story.begin()
    copied = account(story, label)
    register_with(story, copied)
    story.switch_on()
    step = story.step(9)
    assert (step.code, copied in step.detail) == ("platform_conflict", True)
    last = story.wait_for(label, lambda device: device["last"] is not None)["last"]
    assert (last["step"], last["code"]) == (9, "platform_conflict")
    assert "new account" in last["sentence"]

    cause = story.timeline(label)["first_cause"]
    assert cause["code"] == "platform_conflict"

    story.portal("POST", f"/v1/devices/{label.device_id}/account")
    story.press()
    story.committed()
    assert account(story, label) != copied
    assert f"muster:{label.device_id}" in story.application_entity(label)["lbl"]
