# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A device whose place has another Wi-Fi: somebody with the label gives it that at its setup page,
where the profile allows it."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from muster_harness.air.air import AccessPoint
from muster_harness.air.visitor import Visitor
from tests import secrecy
from tests.system.board_time import hasty
from tests.system.carried import Carried, OwnNetwork
from tests.system.test_setup_network import joined, pasted, press

SHOP_PASSWORD = "gherkin lantern nine"
_PATIENCE_S = 40.0
_ALLOWED = {"failsafe_s": 60, "sync_s": 3600, "ntp": None, "local_wifi": True}


@pytest.fixture(scope="module")
def shop(own_network: OwnNetwork) -> AccessPoint:
    """Another network of the house: it leads to the same platform."""
    secrecy.hide(SHOP_PASSWORD)
    return own_network.air.add_access_point(
        "shop", password=SHOP_PASSWORD, channel=6, rssi=-60, beside=own_network.operational
    )


def configured(carried: Carried, **policy: Any) -> None:
    """Bring it a configuration by its page, and start it anew."""
    text = carried.network.bundle(carried.network.config(1, policy=_ALLOWED | policy))
    carried.copy(text)
    carried.board.forget_output()
    carried.board.reset()
    assert carried.outcome(text) == (1, "ok")


@pytest.fixture
def device(
    own_network: OwnNetwork, tmp_path: Path, labelled_flash: Path, shop: AccessPoint
) -> Iterator[Carried]:
    with Carried(own_network, tmp_path / "board", labelled_flash, virtual_time=True) as carried:
        carried.board.power_on()
        carried.board.expect(rb"step 4 wifi_no_ap", _PATIENCE_S)
        configured(carried)
        try:
            yield carried
        finally:
            own_network.operational.restore()
            shop.restore()


def given(phone: Visitor, **fields: str) -> requests.Response:
    form = {name: (None, value) for name, value in fields.items()}
    return requests.post(phone.url(path="/wifi"), files=form, timeout=20)


def option(name: str) -> str:
    return base64.b64encode(name.encode()).decode()


def test_it_works_from_there_when_its_own_network_has_gone(
    device: Carried, shop: AccessPoint
) -> None:
    board = device.board
    press(device, 2, rb"button twice")
    with joined(device) as phone:
        page = requests.get(phone.url(), timeout=10).text
        assert f'<option value="{option("shop")}">shop</option>' in page
        taken = given(phone, ssid=option("shop"), other="", password=SHOP_PASSWORD)
        assert taken.ok and 'id="taken"' in taken.text
    board.expect(rb"step 8 ok \d+ms shop", _PATIENCE_S)
    board.expect(rb"setup the network shop is kept", _PATIENCE_S)
    with joined(device, "laptop") as laptop:
        shown = requests.get(laptop.url(), timeout=10).text
        assert "The network shop works." in shown and SHOP_PASSWORD not in shown
    device.network.operational.remove()
    board.power_off()
    board.forget_output()
    board.power_on()
    with hasty(board):
        board.expect(rb"step 8 ok \d+ms shop", _PATIENCE_S)
        board.expect(rb"step 9 ok", _PATIENCE_S)
    assert SHOP_PASSWORD.encode() not in board.output


def test_one_that_does_not_lead_on_is_told_and_not_kept(
    device: Carried, shop: AccessPoint
) -> None:
    board = device.board
    press(device, 2, rb"button twice")
    with joined(device) as phone:
        assert given(phone, ssid=option("shop"), other="", password="incorrect horse").ok
    with hasty(board):
        board.expect(rb"step 8 wifi_auth", _PATIENCE_S)
    with joined(device, "laptop") as laptop:
        shown = requests.get(laptop.url(), timeout=10).text
        assert "The network shop did not work." in shown and "It refused the password." in shown
        assert "incorrect horse" not in shown
    board.expect(rb"step 9 ok", _PATIENCE_S)  # at home again
    board.power_off()
    board.forget_output()
    board.power_on()
    board.expect(rb"step 8 ok \d+ms factory", _PATIENCE_S)


def test_what_cannot_be_a_network_is_refused_at_once(device: Carried) -> None:
    before = len(device.board.output)
    press(device, 2, rb"button twice")
    with joined(device) as phone:
        for fields, said in (
            ({"ssid": "", "password": ""}, "No network was chosen"),
            ({"ssid": "not base64", "password": ""}, "No network was chosen"),
            ({"ssid": option("x" * 33), "password": ""}, "No network was chosen"),
            ({"ssid": option("shop"), "password": "short"}, "8 to 63 characters"),
            ({"ssid": option("shop"), "password": "ü" * 20}, "8 to 63 characters"),
            ({"ssid": option("shop"), "password": "x" * 300}, "too long"),
        ):
            answer = given(phone, **fields)
            assert answer.status_code == 422 and said in answer.text, fields
            assert "<details open><summary>Give it another Wi-Fi" in answer.text
        assert requests.get(phone.url(), timeout=10).ok
    assert b"Traceback" not in device.board.output[before:]


def test_a_profile_that_does_not_allow_it_closes_the_way_and_forgets(
    device: Carried, shop: AccessPoint
) -> None:
    board = device.board
    press(device, 2, rb"button twice")
    with joined(device) as phone:
        assert given(phone, ssid=option("shop"), other="", password=SHOP_PASSWORD).ok
    board.expect(rb"setup the network shop is kept", _PATIENCE_S)
    closed = device.network.config(2, policy=_ALLOWED | {"local_wifi": False})
    with joined(device, "laptop") as laptop:
        assert pasted(laptop, device.network.bundle(closed)).ok
    board.expect(rb"life committed version 2,", _PATIENCE_S)
    with joined(device, "other") as other:
        assert "Wi-Fi network</summary>" not in requests.get(other.url(), timeout=10).text
        assert given(other, ssid=option("shop"), password=SHOP_PASSWORD).status_code == 404
    kept = device.mpremote("exec", _STATE)
    assert "committed" in kept and "local" not in kept


def test_a_power_cut_in_its_trial_leaves_what_was_there(
    device: Carried, shop: AccessPoint
) -> None:
    board = device.board
    press(device, 2, rb"button twice")
    with joined(device) as phone:
        assert given(phone, ssid=option("shop"), other="", password=SHOP_PASSWORD).ok
    board.expect(rb"setup tries the network shop", _PATIENCE_S)
    board.power_off()
    board.forget_output()
    board.power_on()
    board.expect(rb"step 8 ok \d+ms factory", _PATIENCE_S)
    board.expect(rb"step 9 ok", _PATIENCE_S)
    press(device, 2, rb"button twice")
    with joined(device, "laptop") as laptop:
        shown = requests.get(laptop.url(), timeout=10).text
    assert "The network shop did not work" in shown and "power failed" in shown


def test_a_power_cut_before_its_trial_only_delays_that(device: Carried, shop: AccessPoint) -> None:
    board = device.board
    press(device, 2, rb"button twice")
    with joined(device) as phone:
        assert given(phone, ssid=option("shop"), other="", password=SHOP_PASSWORD).ok
    board.power_off()
    board.forget_output()
    board.power_on()
    board.expect(rb"setup the network shop is kept", _PATIENCE_S)


def test_a_factory_reset_forgets_it(device: Carried, shop: AccessPoint) -> None:
    board = device.board
    press(device, 2, rb"button twice")
    with joined(device) as phone:
        assert given(phone, other="shop", password=SHOP_PASSWORD).ok
    board.expect(rb"setup the network shop is kept", _PATIENCE_S)
    board.press("button", ms=16_000)
    board.expect(rb"life configuration forgotten", _PATIENCE_S)
    assert "local" not in device.mpremote("exec", _STATE)


_STATE = "import os; print(os.listdir('/muster-state'))"
