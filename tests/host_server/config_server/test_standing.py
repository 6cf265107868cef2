# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Is what is told of a device true: what it runs, its newest attempt, what it waits for, and when
it was heard last?"""

from typing import Any

import pytest

from muster_server.config_server.device_view import Wanted
from muster_server.portal.service import rendered
from tests.host_server.config_server.field import OWNER, PROFILE, Device, Field

REFUSED = {"config": 1, "step": 9, "code": "platform_refused", "detail": "RSC 4103"}
WRONG_PASSWORD = {"config": 2, "step": 8, "code": "wifi_auth", "detail": "factory: status 202"}
AT_HOME = [[3, "ok", 1], [4, "ok", 1], [5, "ok", 1], [6, "ok", 1], [7, "ok", 1], [8, "ok", 1]]


def facts(device: Device) -> tuple[Any, Any, Any]:
    """Version that runs, code and state of the attempt, who and what is waited for."""
    shown = device.shown()
    attempt, waiting = shown["attempt"], shown["waiting_for"]
    return (
        shown["runs"] and shown["runs"]["version"],
        attempt and (attempt["version"], attempt["step"], attempt["code"]),
        (waiting["who"], waiting["what"]),
    )


def test_new_device_runs_nothing_and_waits_for_a_press(place: Field) -> None:
    device = place.registered()
    assert facts(device) == (None, None, ("you", "press"))
    assert device.shown()["last_heard"] is None


def test_device_in_its_trial_is_under_way_and_then_at_work(place: Field) -> None:
    device = place.registered()
    device.sync()
    assert facts(device) == (None, (1, 6, None), ("device", "trial"))
    assert device.shown()["last_heard"] == {
        "at": place.clock(),
        "by": "sync",
        "address": "127.0.0.1",
        "key": "label",
    }
    place.clock.pass_s(20)
    device.confirm(1)
    assert facts(device) == (1, (1, 9, "ok"), ("nothing", "nothing"))
    assert device.shown()["runs"] == {"version": 1, "since": place.clock(), "is_certain": True}
    assert device.shown()["last_heard"]["key"] == "1"


def test_device_that_runs_one_version_and_failed_at_another_says_both(place: Field) -> None:
    device = place.registered()
    device.onboard()
    place.set_password("wrong horse")
    assert facts(device) == (1, (1, 9, "ok"), ("device", "contact"))
    device.sync("1")
    device.sync("1", last=WRONG_PASSWORD, timeline=[*AT_HOME, [9, "ok", 1]])
    assert facts(device) == (1, (2, 8, "wifi_auth"), ("you", "mend"))
    shown = rendered(device.shown())
    assert "password for 'wrong" not in str(shown)
    assert shown["attempt"]["sentence"].startswith("The Wi-Fi password for 'factory' was refused")
    # As soon as the profile is mended it is the device's turn.
    place.set_password("better horse")
    assert facts(device)[2] == ("device", "contact")


def test_device_that_was_reset_is_told_as_soon_as_it_has_spoken(place: Field) -> None:
    device = place.registered()
    device.onboard()
    device.committed, device.echo = 0, None
    place.clock.pass_s(60)
    assert device.sync()["action"] == "wait"
    shown = rendered(device.shown())
    assert shown["waiting_for"]["what"] == "open_after_reset"
    assert "was reset" in shown["waiting_for"]["sentence"]
    assert f"muster device open {device.id}" in shown["waiting_for"]["sentence"]
    assert shown["label_used"] == {
        "at": place.clock(),
        "address": "127.0.0.1",
        "state": "blank",
    }
    assert (shown["runs"]["version"], shown["runs"]["is_certain"]) == (1, False)
    place.devices.open_window(device.id, OWNER)
    assert facts(device)[2] == ("you", "press")
    device.sync()
    assert facts(device) == (None, (2, 6, None), ("device", "trial"))
    assert device.shown()["label_used"] is None


def test_word_under_the_label_is_forgotten_once_the_device_itself_speaks(place: Field) -> None:
    device = place.registered()
    device.onboard()
    committed, device.committed = device.committed, 0
    echo = device.echo
    device.sync(echo=None)
    device.committed, device.echo = committed, echo
    place.clock.pass_s(5)
    device.sync("1")
    assert facts(device) == (1, (1, 9, "ok"), ("nothing", "nothing"))
    assert device.shown()["label_used"] is None


def test_device_that_was_refused_by_its_platform_is_not_called_registered(place: Field) -> None:
    device = place.registered()
    device.onboard()
    refused = [*AT_HOME, [9, "ok", 1], [8, "ok", 1], [9, "platform_refused", 40]]
    device.sync("1", last=REFUSED, timeline=refused)
    assert device.shown()["state"] == "failed"
    assert facts(device) == (1, (1, 9, "platform_refused"), ("you", "mend"))
    # The device tells a failure once; that does not mend it.
    device.sync("1", timeline=refused)
    assert device.shown()["state"] == "failed"
    device.sync("1", timeline=[*refused, [8, "ok", 1], [9, "ok", 30]])
    assert device.shown()["state"] == "registered"
    assert facts(device) == (1, (1, 9, "ok"), ("nothing", "nothing"))


def test_failure_that_healed_before_it_could_be_told_is_none(place: Field) -> None:
    device = place.registered()
    device.onboard()
    lost = REFUSED | {"step": 8, "code": "wifi_no_ap"}
    device.sync("1", last=lost, timeline=[[8, "wifi_no_ap", 9], [8, "ok", 1], [9, "ok", 1]])
    assert facts(device) == (1, (1, 9, "ok"), ("nothing", "nothing"))


def test_version_that_is_committed_and_refused_later_is_run_and_not_registered(
    place: Field,
) -> None:
    device = place.registered()
    version = device.sync()["config"]["version"]
    device.sync(str(version), state="trial", echo="lost")  # its answer never came
    device.committed = version
    refused = [*AT_HOME, [9, "ok", 1], [9, "platform_refused", 40]]
    device.sync("1", last=REFUSED, timeline=refused)
    assert device.shown()["state"] == "failed"
    assert facts(device) == (1, (1, 9, "platform_refused"), ("you", "mend"))
    assert device.shown()["window"]["open"] is False


def test_complaint_about_a_profile_ends_when_the_profile_is_right(place: Field) -> None:
    device = place.registered()
    device.onboard()
    place.platforms.url = "http://127.0.0.1:9000"
    moved = PROFILE["platform"] | {"url": place.platforms.url}
    place.profiles.replace("press", PROFILE | {"platform": moved})
    place.platform.is_down = True
    device.sync("1")
    assert facts(device) == (1, (None, 6, "platform_unreachable"), ("platform", "account"))
    place.platform.is_down = False
    place.platforms.url = PROFILE["platform"]["url"]
    place.profiles.replace("press", PROFILE)
    device.sync("1")
    assert facts(device) == (1, (1, 9, "ok"), ("nothing", "nothing"))


def test_step_2_that_failed_is_done_once_it_has_come_about(place: Field) -> None:
    place.platform.is_down = True
    device = place.registered()
    assert facts(device) == (None, (None, 2, "platform_unreachable"), ("platform", "account"))
    place.platform.is_down = False
    device.onboard()
    assert {step["state"] for step in device.shown()["steps"]} == {"done"}


def test_device_that_is_late_is_said_to_be(place: Field) -> None:
    device = place.registered()
    device.onboard()
    device.sync("1")
    told = place.clock() + 3600
    place.clock.pass_s(3600)
    assert facts(device)[2] == ("nothing", "nothing")
    place.clock.pass_s(901)
    assert facts(device)[2] == ("device", "overdue")
    assert device.shown()["waiting_for"]["at"] == told


def test_window_that_closed_before_the_device_came_waits_for_its_owner(place: Field) -> None:
    device = place.registered()
    place.devices.open_window(device.id, OWNER)
    device.sync()
    place.devices.close_window(device.id, OWNER)
    place.clock.pass_s(25 * 3600)
    assert facts(device)[2] == ("you", "open_window")


def test_carried_bundle_is_waited_for_step_by_step(place: Field) -> None:
    device = place.registered()
    place.bundles.make(device.id, OWNER)
    assert facts(device)[2] == ("you", "carry_bundle")
    receipt = device.apply_bundle()
    assert facts(device)[1:] == ((2, 5, None), ("you", "apply_bundle"))
    place.clock.pass_s(10)
    place.receipts.check(device.id, OWNER, receipt)
    assert facts(device) == (2, (2, 9, "ok"), ("platform", "sighting"))
    assert device.shown()["last_heard"]["by"] == "receipt"
    place.clock.pass_s(10)
    place.show_at_platform()
    place.presence.look(device.id, OWNER)
    assert facts(device) == (2, (2, 9, "ok"), ("nothing", "nothing"))
    assert device.shown()["last_heard"]["by"] == "platform"


def test_bundle_that_failed_is_made_anew(place: Field) -> None:
    device = place.registered()
    receipt = device.apply_bundle("wifi_auth")
    place.receipts.check(device.id, OWNER, receipt)
    assert facts(device) == (None, (1, 8, "wifi_auth"), ("you", "new_bundle"))


def test_device_seen_at_its_platform_has_healed_and_its_version_is_not_guessed(
    place: Field,
) -> None:
    device = place.registered()
    device.sync()
    place.clock.pass_s(5)
    device.sync(last=WRONG_PASSWORD | {"config": 1})
    place.clock.pass_s(1000)
    place.show_at_platform()
    place.presence.look(device.id, OWNER)
    shown = device.shown()
    assert shown["runs"] == {"version": None, "since": place.clock(), "is_certain": True}
    assert (shown["attempt"]["state"], shown["last"]) == ("ok", None)
    assert {step["state"] for step in shown["steps"]} == {"done"}


def ids(place: Field, **wanted: Any) -> list[str]:
    page = place.devices.views.page(OWNER, Wanted(**wanted))
    return [device["device_id"] for device in page["devices"]]


def test_list_finds_devices_by_each_of_the_facts(place: Field) -> None:
    new, working, failing = place.registered(), place.registered(), place.registered()
    working.onboard()
    failing.sync()
    failing.sync(last=WRONG_PASSWORD | {"config": 1})
    assert ids(place) == sorted([new.id, working.id, failing.id])
    assert ids(place, state="registered") == [working.id]
    assert ids(place, attempt="wifi_auth") == [failing.id]
    assert ids(place, attempt="none") == [new.id]
    assert ids(place, waiting_for="nothing") == [working.id]
    assert ids(place, silent_since=place.clock() - 1) == [new.id]
    assert ids(place, profile="other") == []
    assert len(ids(place, profile="press")) == 3


@pytest.mark.parametrize("limit", [1, 2, 50])
def test_list_comes_in_pages_that_miss_none(
    place: Field, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("muster_server.config_server.device_view._SLICE", 3)
    monkeypatch.setattr("muster_server.config_server.device_view._MOST_LOOKED_AT", 6)
    wanted = sorted(place.registered().id for _ in range(11))
    found: list[str] = []
    after: str | None = ""
    while after is not None:
        page = place.devices.views.page(OWNER, Wanted(after=after, limit=limit))
        assert len(page["devices"]) <= limit
        found += [device["device_id"] for device in page["devices"]]
        after = page["next"]
    assert found == wanted
