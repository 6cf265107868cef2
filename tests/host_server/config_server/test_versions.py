# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does making a version promise when the platform, or the owner, has other ideas?"""

from collections.abc import Callable
from typing import Any

import pytest

from muster_server.errors import NotRecognised, Released
from tests.host_server.config_server.field import OWNER, PLATFORM_URL, PROFILE, Device, Field

# answers that do not come


def test_answers_that_are_lost_leave_no_tokens_behind(place: Field) -> None:
    place.platform.loses_answers = True
    device = place.registered()
    for _ in range(20):
        place.clock.pass_s(10)
        assert device.sync()["action"] == "wait"
    place.platform.loses_answers = False
    config = device.sync()["config"]
    assert device.tokens() == [config["platform"]["token"]]


def test_each_version_has_a_token_of_its_own_after_a_lost_answer_too(place: Field) -> None:
    device = place.registered()
    device.onboard()
    place.set_password("better horse")
    place.platform.loses_answers = True
    assert device.sync("1")["action"] == "wait"
    place.platform.loses_answers = False
    second = device.sync("1")["config"]
    assert device.tokens() == [
        device.configs[1]["platform"]["token"],
        second["platform"]["token"],
    ]


def test_token_that_was_asked_for_under_a_former_account_is_ended(place: Field) -> None:
    place.platform.loses_answers = True
    device = place.registered()
    place.devices.new_account(device.id, OWNER)
    place.platform.loses_answers = False
    token = device.sync()["config"]["platform"]["token"]
    place.jobs.run_due()
    assert list(place.platform.tokens) == [device.shown()["account"]["originator"]]
    assert device.tokens() == [token]


def test_token_that_was_asked_for_under_a_former_url_is_ended_and_its_account_is_not(
    place: Field,
) -> None:
    place.platform.loses_answers = True
    device = place.registered()
    place.platform.loses_answers = False
    place.platforms.url = "http://renamed.example:8422"
    platform = PROFILE["platform"] | {"url": place.platforms.url}
    place.profiles.replace("press", PROFILE | {"platform": platform})
    token = device.sync()["config"]["platform"]["token"]
    place.jobs.run_due()
    assert device.tokens() == [token]


def test_account_whose_answer_was_lost_is_closed_at_release(place: Field) -> None:
    place.platform.loses_answers = True
    device = place.registered()
    place.devices.release(device.id, OWNER)
    place.jobs.run_due()
    assert place.platform.tokens == {}


# a release that comes in between


def released_meanwhile(place: Field, device: Device) -> None:
    """The owner releases the device, and its account is closed, before it is made again."""

    def release() -> None:
        place.platform.meanwhile = lambda: None
        made = place.platform.tokens.copy()
        place.devices.release(device.id, OWNER)
        place.jobs.run_due()
        place.platform.tokens = made

    place.platform.meanwhile = release


def test_device_that_is_released_while_its_version_is_made_is_told_to_forget(
    place: Field,
) -> None:
    device = place.registered()
    device.onboard()
    place.set_password("better horse")
    released_meanwhile(place, device)
    assert device.sync("1")["action"] == "forget"
    place.jobs.run_due()
    assert place.platform.tokens == {}


def test_registration_that_ends_while_its_first_version_is_made_leaves_no_account(
    place: Field,
) -> None:
    place.platform.is_down = True
    device = place.registered()
    place.platform.is_down = False
    released_meanwhile(place, device)
    with pytest.raises(NotRecognised):
        device.sync()
    place.jobs.run_due()
    assert place.platform.tokens == {}


def test_bundle_of_a_device_that_is_released_meanwhile_is_not_made(place: Field) -> None:
    device = place.registered()
    device.onboard()
    released_meanwhile(place, device)
    with pytest.raises(Released):
        place.bundles.make(device.id, OWNER)
    place.jobs.run_due()
    assert place.platform.tokens == {}


def sync_beside(
    place: Field, monkeypatch: pytest.MonkeyPatch, deed: Callable[[str, str], object]
) -> tuple[Device, Any]:
    """A device with a new version ahead, and the answer to its report, before which its owner
    acts."""
    device = place.registered()
    device.onboard()
    place.set_password("wrong horse")
    device.sync("1")
    noted = place.sync._noted

    def then_done(*arguments: object) -> object:
        contact = noted(*arguments)  # type: ignore[arg-type]
        deed(device.id, OWNER)
        return contact

    with monkeypatch.context() as patched:
        patched.setattr(place.sync, "_noted", then_done)
        return device, device.sync("1")


def test_release_between_a_report_and_its_answer_stands(
    place: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    device, answer = sync_beside(place, monkeypatch, place.devices.release)
    assert answer["action"] == "forget"
    assert device.sync("1")["action"] == "forget"


def test_window_that_is_opened_between_a_report_and_its_answer_stays_open(
    place: Field, monkeypatch: pytest.MonkeyPatch
) -> None:
    device, answer = sync_beside(place, monkeypatch, place.devices.open_window)
    assert answer["action"] == "configure"
    assert device.shown()["window"]["open"] is True


# which platform is ours


def test_platform_that_was_not_known_as_ours_gives_tokens_once_it_is(place: Field) -> None:
    place.platforms.url = "http://mistyped.example:8422"
    device = place.registered()
    assert device.sync()["config"]["platform"]["token"] is None
    place.platforms.url = PLATFORM_URL
    refused = {"config": 1, "step": 9, "code": "platform_refused", "detail": "HTTP 401"}
    config = device.sync(last=refused)["config"]
    assert (config["version"], device.tokens()) == (2, [config["platform"]["token"]])
    device.confirm(2)
    place.jobs.run_due()
    assert device.tokens() == [config["platform"]["token"]]


def test_next_bundle_has_the_token_that_the_former_one_lacks(place: Field) -> None:
    place.platforms.url = "http://mistyped.example:8422"
    device = place.registered()
    device.apply_bundle("platform_refused")
    place.platforms.url = PLATFORM_URL
    device.apply_bundle()
    assert device.tokens() == [device.configs[2]["platform"]["token"]]


def test_device_that_has_its_token_is_left_alone_while_its_platform_is_mistyped(
    place: Field,
) -> None:
    device = place.registered()
    device.onboard()
    place.platforms.url = "http://mistyped.example:8422"
    assert device.sync("1")["action"] == "keep"
