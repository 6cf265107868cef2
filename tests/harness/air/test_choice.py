# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Several access points of one name: which one a driver joins, and whom each of them refuses."""

from typing import Any

import pytest

from muster_harness.air.air import Air
from muster_harness.errors import AirError, JoinRefused
from muster_harness.units.emulated import EmulatedBoard
from muster_harness.wire.repl import REPL
from tests.harness.air.on_board import WLAN

KEY = "long enough"


@pytest.fixture
def wlan(repl: REPL, air: Air) -> REPL:
    air.association_s = air.failure_s = 0.01
    air.scan_s = 0.01
    repl.exec(WLAN + "w.config(reconnects=0)")
    return repl


def test_a_scan_tells_each_of_one_name_strongest_first(wlan: REPL, air: Air) -> None:
    far = air.add_access_point("factory", bssid="02:00:00:00:00:01", channel=1, rssi=-70)
    near = air.add_access_point("factory", bssid=b"\x02\0\0\0\0\x02", channel=11, rssi=-40)
    assert wlan.eval("[(s[0], s[1], s[3]) for s in w.scan()]") == [
        (b"factory", near.bssid, -40),
        (b"factory", far.bssid, -70),
    ]


def test_the_first_by_channel_is_joined_not_the_strongest(wlan: REPL, air: Air) -> None:
    air.add_access_point("factory", channel=11, rssi=-40)
    air.add_access_point("factory", channel=6, rssi=-85)
    louder = air.add_access_point("factory", channel=6, rssi=-60)
    wlan.exec("w.connect('factory'); until(w.isconnected)")
    assert air.traced("join")[0].details["bssid"] == louder.bssid.hex(":")


def test_a_bssid_names_the_one_to_join(wlan: REPL, air: Air) -> None:
    air.add_access_point("factory", channel=1, rssi=-40)
    good = air.add_access_point("factory", channel=11, rssi=-80)
    wlan.exec(f"w.connect('factory', bssid={good.bssid!r}); until(w.isconnected)")
    assert wlan.eval("w.config('channel')") == 11
    wlan.exec("w.disconnect(); w.connect('factory', bssid=b'\\x02\\x99abcd')")
    wlan.exec("until(lambda: w.status() == 201)")


def test_an_ill_one_on_a_lower_channel_is_asked_each_time(wlan: REPL, air: Air) -> None:
    ill = air.add_access_point("factory", channel=1, rssi=-40)
    air.add_access_point("factory", channel=11, rssi=-55)
    ill.refuse(5)
    wlan.exec("w.config(reconnects=2); w.connect('factory'); until(lambda: w.status() == 5)")
    asked = [event.details["bssid"] for event in air.traced("refused")]
    assert asked == [ill.bssid.hex(":")] * 3


def test_what_does_not_fit_is_passed_over_by_the_scan(wlan: REPL, air: Air) -> None:
    air.add_access_point("factory", channel=1)  # open, and a key is given
    air.add_access_point("factory", channel=6, password=KEY, security=2)  # WPA, below WPA2
    right = air.add_access_point("factory", channel=11, password=KEY)
    wlan.exec(f"w.connect('factory', {KEY!r}); until(w.isconnected)")
    assert air.traced("join")[0].details["bssid"] == right.bssid.hex(":")


def test_a_neighbours_of_that_name_refuses_the_password(wlan: REPL, air: Air) -> None:
    air.add_access_point("factory", channel=1, password="another key")
    air.add_access_point("factory", channel=11, password=KEY)
    wlan.exec(f"w.connect('factory', {KEY!r}); until(lambda: w.status() == 202)")


@pytest.mark.parametrize("reason", [2, 5, 15, 202, 203])
def test_the_first_tries_are_refused_then_it_lets_in(wlan: REPL, air: Air, reason: int) -> None:
    point = air.add_access_point("steered")
    point.refuse(reason, times=2)
    wlan.exec("w.config(reconnects=-1); w.connect('steered'); until(w.isconnected)")
    assert [event.details["reason"] for event in air.traced("refused")] == [reason] * 2


def test_one_board_is_refused_and_nobody_else(wlan: REPL, air: Air, board: EmulatedBoard) -> None:
    point = air.add_access_point("filtered")
    point.refuse(37, board=board.name)
    air.visit("filtered").close()
    wlan.exec("w.connect('filtered'); until(lambda: w.status() == 37)")
    point.let_in()
    wlan.exec("w.connect('filtered'); until(w.isconnected)")


def test_orders_are_used_up_one_after_the_other(air: Air) -> None:
    point = air.add_access_point("odd")
    point.refuse(2, times=1)
    point.refuse(203, times=1)
    for reason in (2, 203):
        with pytest.raises(JoinRefused, match=f"reason {reason}"):
            air.visit("odd")
    air.visit("odd")


def test_one_beside_another_is_in_front_of_the_same_network(wlan: REPL, air: Air) -> None:
    house = air.add_access_point("house", channel=1)
    repeater = air.add_access_point("house", channel=6, beside=house)
    assert repeater.gateway == house.gateway and repeater.bssid != house.bssid
    wlan.exec("w.connect('house'); until(w.isconnected); first = w.ifconfig()")
    house.remove()
    wlan.exec("w.disconnect(); w.connect('house'); until(w.isconnected)")
    assert wlan.eval("(w.config('channel'), w.ifconfig() == first)") == (6, True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"bssid": "02:00"},
        {"bssid": b"\x01\0\0\0\0\0"},
        {"bssid": 7},
        {"channel": 15},
        {"channel": "6"},
        {"security": 99},
        {"wrong_password_reason": 0},
    ],
)
def test_a_wrong_setting_is_an_air_error(air: Air, wrong: dict[str, Any]) -> None:
    with pytest.raises(AirError):
        air.add_access_point("home", **wrong)


def test_a_wrong_order_is_an_air_error(air: Air) -> None:
    point = air.add_access_point("home", bssid="02:00:00:00:00:01")
    with pytest.raises(AirError, match="already"):
        air.add_access_point("other", bssid="02:00:00:00:00:01")
    with pytest.raises(AirError, match="1 to 255"):
        point.refuses_with = 999
    with pytest.raises(AirError, match="1 to 255"):
        point.refuse(True)
    with pytest.raises(AirError, match="1 or more"):
        point.refuse(2, times=0)
