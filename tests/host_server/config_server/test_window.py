# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Who gets a configuration, when, and how often?"""

import pytest

from muster_server.config_server.sync import CLOSED_RETRY_S
from muster_server.config_server.window import LONGEST_S, WINDOW_S
from muster_server.errors import Conflict, Invalid, NotRecognised, TooManyRequests
from muster_server.label import new_label
from muster_server.store.claims import CLAIM_LIFE_S
from tests.host_server.config_server.field import OWNER, PROFILE, Device, Field

# the window


def test_label_used_after_the_window_closed_gets_wait_and_the_owner_is_told_once(
    place: Field,
) -> None:
    device = place.registered()
    device.onboard()
    directives = [device.sync(echo=None) for _ in range(3)]
    assert {(d["action"], d["retry_s"]) for d in directives} == {("wait", CLOSED_RETRY_S)}
    assert [e["code"] for e in device.shown()["events"]] == ["window_closed"]


def test_first_window_ends_with_the_claim_or_a_day_after_it_was_proved(place: Field) -> None:
    device = place.registered()
    shown = device.shown()
    assert shown["window"] == {"open": True, "until": shown["expires_at"]}
    device.sync(echo=None)
    place.clock.pass_s(CLAIM_LIFE_S - 1)
    assert device.sync(echo=None)["action"] == "configure"
    device.sync()  # proves the claim, and no version
    assert device.shown()["window"] == {"open": True, "until": place.clock() + WINDOW_S}
    place.clock.pass_s(WINDOW_S - 1)
    assert device.sync()["action"] == "configure"
    place.clock.pass_s(1)
    assert device.sync()["action"] == "wait"


def test_a_day_after_a_bundle_was_handed_out_its_label_opens_nothing(place: Field) -> None:
    device = place.registered()
    device.apply_bundle()
    place.clock.pass_s(WINDOW_S - 1)
    assert device.sync(state="blank", config=0)["action"] == "configure"
    place.clock.pass_s(1)
    assert device.sync(state="blank", config=0)["action"] == "wait"
    place.registered(device.label)  # its claim has most of a year to live, its window has not
    assert device.shown()["window"]["until"] == place.clock() + WINDOW_S


def test_window_is_open_for_a_day_unless_its_owner_says_otherwise(place: Field) -> None:
    device = place.registered()
    device.onboard()
    shown = place.devices.open_window(device.id, OWNER)
    assert shown["window"] == {"open": True, "until": place.clock() + WINDOW_S}
    until = int(place.clock()) + 3 * WINDOW_S
    place.devices.open_window(device.id, OWNER, until)
    place.clock.pass_s(3 * WINDOW_S - 1)
    assert device.sync()["action"] == "configure"
    place.clock.pass_s(1)
    assert device.sync()["action"] == "wait"
    assert device.shown()["window"]["open"] is False


@pytest.mark.parametrize("ahead_s", [-1, 0, LONGEST_S + 1])
def test_window_is_open_for_a_fortnight_at_most(place: Field, ahead_s: int) -> None:
    device = place.registered()
    until = int(place.clock()) + ahead_s
    with pytest.raises(Invalid) as caught:
        place.devices.open_window(device.id, OWNER, until)
    assert caught.value.path == "until"
    with pytest.raises(Invalid):
        place.devices.register(device.label.qr_text, "press", "", OWNER, until=until)
    longest = int(place.clock()) + LONGEST_S
    shown = place.devices.register(device.label.qr_text, "press", "", OWNER, until=longest)
    assert shown["window"]["until"] == longest


def test_owner_closes_the_window(place: Field) -> None:
    device = place.registered()
    assert place.devices.close_window(device.id, OWNER)["window"] == {"open": False, "until": None}
    assert device.sync()["action"] == "wait"
    assert [m.what for m in place.history_of(device)][-1] == "window_closed"
    assert "window_shut" in [m.what for m in place.history_of(device)]


def test_four_hundred_days_later_a_label_opens_nothing(place: Field) -> None:
    online, carried, asked = (place.registered() for _ in range(3))
    online.onboard()
    carried.apply_bundle()
    asked.sync()
    place.devices.open_window(online.id, OWNER, int(place.clock()) + LONGEST_S)
    place.clock.pass_s(400 * 86400)
    place.presence.end_expired()
    for device in (online, carried, asked):
        try:
            assert device.sync(state="blank", config=0)["action"] == "wait"
        except NotRecognised:  # its claim has ended
            continue


def test_owner_opens_the_window_again_and_the_device_gets_new_keys(place: Field) -> None:
    device = place.registered()
    device.onboard()
    place.devices.open_window(device.id, OWNER)
    directive = device.sync()
    assert directive["config"]["version"] == 2
    old, new = device.configs[1], directive["config"]
    assert old["config_server"]["key"] != new["config_server"]["key"]
    assert old["platform"]["token"] != new["platform"]["token"]
    device.confirm(2)
    assert device.shown()["window"]["open"] is False


def test_profile_may_leave_the_door_open(place: Field) -> None:
    place.profiles.replace("press", PROFILE | {"reonboarding": "always"})
    device = place.registered()
    device.onboard()
    assert device.sync()["config"]["version"] == 2
    with pytest.raises(Conflict, match="reonboarding: always"):
        place.devices.close_window(device.id, OWNER)


# who owns what


def test_vendors_device_that_nobody_owns_waits_and_completes_as_soon_as_step_1_happens(
    place: Field,
) -> None:
    label = new_label()
    place.devices.register_for_vendor([label.qr_text])
    device = Device(place, label)
    directive = device.sync()
    assert (directive["action"], directive["retry_s"]) == ("wait", 5)
    place.registered(label)
    assert device.sync()["action"] == "configure"
    device.confirm(1)
    assert device.shown()["state"] == "registered"


def test_device_that_nobody_knows_completes_as_soon_as_step_1_happens(place: Field) -> None:
    label = new_label()
    device = Device(place, label)
    with pytest.raises(NotRecognised):
        device.sync()
    place.registered(label)
    assert device.sync()["action"] == "configure"


def test_first_proved_claim_wins_and_the_others_are_dropped(place: Field) -> None:
    squatters = [place.registered(new_label("PRESS-4")) for _ in range(3)]
    device = place.registered(new_label("PRESS-4"))
    device.onboard()
    assert device.shown()["claim"] == "proved"
    with pytest.raises(NotRecognised):
        squatters[0].sync()
    place.jobs.run_due()
    assert set(place.platform.tokens) == {device.shown()["account"]["originator"]}
    assert [e["code"] for e in device.shown()["events"]] == ["claim_refused"] * 3


def test_released_device_is_told_to_forget_and_its_account_is_closed(place: Field) -> None:
    device = place.registered()
    device.onboard()
    place.devices.release(device.id, OWNER)
    assert device.sync("1")["action"] == "forget"
    with pytest.raises(NotRecognised):
        device.sync()
    place.jobs.run_due()
    assert place.platform.tokens == {}


def test_device_is_described_to_the_platform(place: Field) -> None:
    device = place.registered()
    device.onboard()
    place.jobs.run_due()
    described = place.platform.described[device.id]
    assert (described["board"], described["model"]) == ("EMULATED", "press")


# limits


def test_address_that_asks_too_often_is_told_when_to_come_back(place: Field) -> None:
    with pytest.raises(TooManyRequests) as caught:
        for _ in range(100):
            with pytest.raises(NotRecognised):
                place.sync.answer("A", "label", bytes(48), "10.0.0.1")
    assert caught.value.retry_s == 1
    with pytest.raises(NotRecognised):
        place.sync.answer("A", "label", bytes(48), "10.0.0.2")


def test_strangers_cannot_use_up_what_a_device_may_ask(place: Field) -> None:
    device = place.registered()
    for n in range(100):
        with pytest.raises(NotRecognised):
            place.sync.answer(device.id, "label", bytes(48), f"10.0.0.{n}")
    assert device.sync()["action"] == "configure"


def test_device_that_asks_too_often_is_told_when_to_come_back(place: Field) -> None:
    device = place.registered()
    with pytest.raises(TooManyRequests):
        for _ in range(100):
            device.sync()
    place.clock.pass_s(1)
    assert device.sync()["action"] == "configure"
