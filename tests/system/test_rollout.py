# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A roll-out in waves, with a board in its first one: a good version goes on to the next wave, and
a bad one is tried, comes home, and stops."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from tests import secrecy
from tests.system.board_time import hasty
from tests.system.story import Label, Story

pytestmark = pytest.mark.hil_needs("clock")

_PATIENCE_S = 60.0
_WAVES: list[dict[str, Any]] = [{"group": "pilot"}]
_WRONG = "incorrect horse"


def keep_version(story: Story, **changes: Any) -> int:
    number: int = story.portal("POST", "/v1/profiles/demo/versions", story.profile(**changes))[
        "number"
    ]
    return number


def begin(story: Story, number: int) -> str:
    asked = {"profile": "demo", "number": number, "waves": _WAVES}
    rollout: str = story.portal("POST", "/v1/rollouts", asked)["id"]
    return rollout


def wait_for(story: Story, rollout: str, wanted: Callable[[Any], bool]) -> Any:
    """The roll-out, as soon as it is as wanted; raises TimeoutError with what it is."""
    deadline = time.monotonic() + _PATIENCE_S
    while not wanted(found := story.portal("GET", f"/v1/rollouts/{rollout}")):
        if time.monotonic() > deadline:
            raise TimeoutError(f"the roll-out still is {found}")
        time.sleep(0.1)
    return found


def states(rollout: Any) -> list[dict[str, int]]:
    return [wave["states"] for wave in rollout["waves"]]


def other_device(story: Story) -> Label:
    """A device in a drawer: it is claimed, and in no wave but the last."""
    label = story.make_label()
    story.register(label, "press 5")
    return label


def test_a_version_is_tried_by_the_first_wave_and_a_bad_one_goes_no_further(story: Story) -> None:
    secrecy.hide(_WRONG)
    label = story.onboard()
    other_device(story)
    story.portal("PATCH", f"/v1/devices/{label.device_id}", {"group": "pilot"})

    # A good one: the board tries it, and only then does the next wave get it.
    good = keep_version(story, app={"interval_s": 2})
    rollout = begin(story, good)
    found = wait_for(story, rollout, lambda r: states(r) == [{"offered": 1}, {"waiting": 1}])
    assert found["state"] == "running"
    story.press()
    assert story.committed() == 2
    found = wait_for(story, rollout, lambda r: r["state"] == "waiting")
    assert states(found) == [{"succeeded": 1}, {"waiting": 1}]
    story.portal("POST", f"/v1/rollouts/{rollout}/go-on")
    wait_for(story, rollout, lambda r: states(r)[1] == {"offered": 1})
    story.portal("POST", f"/v1/rollouts/{rollout}/finish")
    versions = story.portal("GET", "/v1/profiles/demo/versions")
    assert (versions["current"], versions["behind"]) == (good, 1)  # the one in the drawer

    # A bad one: the board tries it, comes home to what it ran, and nobody else is given it.
    networks = [{"ssid": "factory", "psk": _WRONG, "hidden": False, "ip": "dhcp"}]
    rollout = begin(story, keep_version(story, networks=networks))
    wait_for(story, rollout, lambda r: states(r)[0] == {"offered": 1})
    story.press()
    with hasty(story.board):
        failed = story.step(8)
        while failed.code == "ok":
            failed = story.step(8)
        assert failed.code == "wifi_auth"
        found = wait_for(story, rollout, lambda r: r["state"] == "stopped")
    assert (found["reason"], found["failed"]) == ("failures", 1)
    assert states(found) == [{"failed": 1}, {"waiting": 1}]
    (member,) = story.portal("GET", f"/v1/rollouts/{rollout}/devices?state=failed")["devices"]
    assert member["device_id"] == label.device_id
    assert "password for 'factory' was refused" in member["failure"]["sentence"]
    device = story.device(label)
    assert device["runs"]["version"] == 2
    versions = story.portal("GET", "/v1/profiles/demo/versions")
    assert (versions["current"], versions["behind"]) == (good, 1)
