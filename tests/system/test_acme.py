# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The same firmware at a platform of somebody else: ACME CSE, asked over its own interface."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system import acme
from tests.system.acme import ADMINISTRATOR, Acme
from tests.system.story import Label, Story

_AE = 2


@pytest.fixture(scope="session", autouse=True)
def installed() -> None:
    """Fails where it cannot be had: a platform that nobody here wrote has to be asked."""
    acme.install()


@pytest.fixture
def story(tmp_path: Path, deployed_flash: Path) -> Iterator[Story]:
    with Story(tmp_path, flash=deployed_flash, platform=Acme) as story:
        yield story


@pytest.fixture
def cse(story: Story) -> Acme:
    platform = story.servers.platform
    assert isinstance(platform, Acme)
    return platform


def originator(story: Story, label: Label) -> str:
    return str(story.device(label)["account"]["originator"])


def test_nine_steps_end_at_acme_and_again_when_it_has_lost_everything(
    story: Story, cse: Acme
) -> None:
    label = story.begin()
    story.switch_on()
    story.press()
    steps = [story.next_step() for _ in range(7)]
    assert [(step.number, step.code) for step in steps] == [(n, "ok") for n in range(3, 10)]
    story.committed()
    shows_the_device_and_a_reading(story, label)
    device = story.wait_for(label, lambda device: device["state"] == "registered")
    assert [step["state"] for step in device["steps"]] == ["done"] * 9

    cse.stop()
    nobody = (story.operational.gateway, acme.free_port())
    # Until it is up again the board finds nobody: what comes while ACME starts can end it.
    story.air.on_connect = lambda board, host, port: nobody
    cse.start()
    cse.wait_ready()
    assert cse.request("GET", f"/{originator(story, label)}", ADMINISTRATOR).status_code == 404
    story.air.on_connect = None
    shows_the_device_and_a_reading(story, label)


def shows_the_device_and_a_reading(story: Story, label: Label) -> None:
    reading = json.loads(story.first_reading(label, timeout_s=15)["con"])
    assert (reading["name"], reading["value"] > 0) == ("heap_free", True)
    assert f"muster:{label.device_id}" in story.application_entity(label)["lbl"]
    assert story.container(label)["cni"] >= 1
    # For its owner, too, wherever it publishes.
    assert "heap_free" in story.owner("readings", label.device_id)


def create(cse: Acme, originator: str) -> str | None:
    """Register with this originator, and return ACME's response status code."""
    body = {"rn": originator, "api": "Norg.example.press", "rr": False, "srv": ["4"]}
    named = {"m2m:ae": body | {"lbl": ["muster:THIEF"]}}
    return cse.request("POST", "/cse-in", originator, named, _AE).headers.get("X-M2M-RSC")


def test_a_copied_originator_is_noticed_and_its_end_lets_the_device_in(
    story: Story, cse: Acme
) -> None:
    label = story.begin()
    copied = originator(story, label)
    assert create(cse, "Cother") == "4107"  # ours are allowed, and no others
    assert create(cse, copied) == "2001"
    story.switch_on()
    step = story.step(9)
    assert (step.code, copied in step.detail) == ("platform_conflict", True)
    device = story.wait_for(label, lambda device: device["last"] is not None)
    assert (device["last"]["step"], device["last"]["code"]) == (9, "platform_conflict")
    cse.request("DELETE", f"/{copied}", ADMINISTRATOR).raise_for_status()
    story.press()
    story.committed()
    assert f"muster:{label.device_id}" in story.application_entity(label)["lbl"]
