# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A bundle that brings no Wi-Fi network: whoever stands beside the device gives it one at its
setup page, and the device tries both together before it trusts either."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests import secrecy
from tests.system.board_time import hasty
from tests.system.carried import DEVICE_ID, PASSWORD, SECRET, Carried, OwnNetwork
from tests.system.test_local_wifi import configured, given, option
from tests.system.test_setup_network import joined, pasted, press, twice
from tests.wire.receipts import receipt

_PATIENCE_S = 40.0
_WRONG = "incorrect horse"
_ALLOWED = {"failsafe_s": 60, "sync_s": 3600, "ntp": None, "local_wifi": True}
_STATE = "import os; print(os.listdir('/muster-state'))"


def without_wifi(carried: Carried, version: int = 1, **changes: Any) -> str:
    config = carried.network.config(version, networks=[], policy=_ALLOWED, **changes)
    return carried.network.bundle(config)


@pytest.fixture
def blank(own_network: OwnNetwork, tmp_path: Path, labelled_flash: Path) -> Iterator[Carried]:
    secrecy.hide(_WRONG)
    with Carried(own_network, tmp_path / "board", labelled_flash, virtual_time=True) as carried:
        twice(carried)
        try:
            yield carried
        finally:
            own_network.operational.restore()


def test_a_blank_device_takes_both_in_one_visit(blank: Carried) -> None:
    text = without_wifi(blank)
    with joined(blank) as phone:
        assert given(phone, ssid=option("factory"), password=PASSWORD).status_code == 404
        asked = pasted(phone, text)
        assert asked.ok and 'id="lacking"' in asked.text
        assert "It brings no Wi-Fi network" in asked.text
        assert f'<option value="{option("factory")}">factory</option>' in asked.text
        taken = given(phone, ssid=option("factory"), other="", password=PASSWORD)
        assert taken.ok and 'id="taken"' in taken.text
    assert blank.outcome(text) == (1, "ok")
    with joined(blank, "laptop") as laptop:
        shown = requests.get(laptop.url(), timeout=10).text
    assert "The device works." in shown and "The network factory works." in shown
    proof = receipt(DEVICE_ID, SECRET, 1, "ok", text)
    assert f"{proof[:4]} {proof[4:]}" in shown and PASSWORD not in shown
    board = blank.board
    board.power_off()
    board.forget_output()
    board.power_on()
    board.expect(rb"step 8 ok \d+ms factory", _PATIENCE_S)
    board.expect(rb"step 9 ok", _PATIENCE_S)
    assert PASSWORD.encode() not in board.output
    assert not any(name.endswith(".muster") for name in blank.files())


def test_a_wrong_password_is_told_and_asked_for_again(blank: Carried) -> None:
    text = without_wifi(blank)
    with joined(blank) as phone:
        assert pasted(phone, text).ok
        assert given(phone, other="factory", password=_WRONG).ok
    with hasty(blank.board):
        assert blank.outcome(text) == (1, "wifi_auth")
    with joined(blank, "laptop") as laptop:
        shown = requests.get(laptop.url(), timeout=10).text
        assert "It refused the password." in shown and "Have a new file" not in shown
        assert "<h2>Give it a Wi-Fi network</h2>" in shown and _WRONG not in shown
        assert given(laptop, ssid=option("factory"), password=PASSWORD).ok
    assert blank.outcome(text) == (1, "ok")


def test_a_power_cut_before_the_password_only_asks_again(blank: Carried) -> None:
    text = without_wifi(blank)
    with joined(blank) as phone:
        assert pasted(phone, text).ok
    board = blank.board
    board.power_off()
    board.forget_output()
    board.power_on()
    board.expect(rb"bundle version 1 waits: it brings no Wi-Fi network", _PATIENCE_S)
    with joined(blank, "laptop") as laptop:
        assert 'id="lacking"' in requests.get(laptop.url(), timeout=10).text
        assert given(laptop, ssid=option("factory"), password=PASSWORD).ok
    assert blank.outcome(text) == (1, "ok")


@pytest.mark.parametrize("said", [rb"setup network \S+ closed", rb"step 8 ok", rb"life committed"])
def test_a_power_cut_after_the_password_only_delays_it(blank: Carried, said: bytes) -> None:
    text = without_wifi(blank)
    with joined(blank) as phone:
        assert pasted(phone, text).ok
        assert given(phone, ssid=option("factory"), password=PASSWORD).ok
    board = blank.board
    board.expect(said, _PATIENCE_S)
    board.power_off()
    board.forget_output()
    board.power_on()
    assert blank.outcome(text) == (1, "ok")
    with joined(blank, "laptop") as laptop:
        shown = requests.get(laptop.url(), timeout=10).text
    assert "The device works." in shown
    board.power_off()
    board.forget_output()
    board.power_on()
    board.expect(rb"step 9 ok", _PATIENCE_S)


def test_over_the_cable_it_waits_for_a_network_and_says_so(
    own_network: OwnNetwork, tmp_path: Path, labelled_flash: Path
) -> None:
    # The tool's clock is the host's: so is the board's.
    with Carried(own_network, tmp_path / "board", labelled_flash) as carried:
        carried.board.power_on()
        carried.board.expect(rb"step 4 wifi_no_ap", _PATIENCE_S)
        text = without_wifi(carried)
        file = tmp_path / "PRESS-4.muster"
        file.write_text(text)
        command = [sys.executable, "-m", "muster_harness", "bundle", "send", "--port"]
        done = subprocess.run(
            [*command, carried.board.port, str(file)], capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 1 and "version 1: not tried yet" in done.stdout, done
        assert "brings no Wi-Fi network" in done.stdout and "receipt" not in done.stdout
        assert b"step 7" not in carried.board.output
        press(carried, 2, rb"button twice")
        with joined(carried) as phone:
            assert 'id="lacking"' in requests.get(phone.url(), timeout=10).text
            assert given(phone, ssid=option("factory"), password=PASSWORD).ok
        assert carried.outcome(text) == (1, "ok")


def test_a_platform_that_is_not_there_is_tried_again_with_the_same_network(
    blank: Carried,
) -> None:
    platform = blank.network.config()["platform"] | {"url": "http://10.255.0.1:9"}
    text = without_wifi(blank, platform=platform)
    with joined(blank) as phone:
        assert pasted(phone, text).ok
        assert given(phone, ssid=option("factory"), password=PASSWORD).ok
    with hasty(blank.board):
        assert blank.outcome(text)[1] == "platform_unreachable"
        with joined(blank, "laptop") as laptop:
            shown = requests.get(laptop.url(), timeout=10).text
            assert "could not reach its platform" in shown
            assert "<h2>Give it a Wi-Fi network</h2>" in shown
        press(blank, 1, rb"button short press")
        blank.board.expect(rb"step 8 ok \d+ms factory", _PATIENCE_S)


def test_a_device_at_work_goes_on_and_asks_again(blank: Carried) -> None:
    configured(blank)
    board = blank.board
    text = without_wifi(blank, 2)
    press(blank, 2, rb"button twice")
    with joined(blank) as phone:
        assert 'id="lacking"' in pasted(phone, text).text
        assert given(phone, ssid=option("factory"), password=_WRONG).ok
    with hasty(board):
        assert blank.outcome(text) == (2, "wifi_auth")
        with joined(blank, "laptop") as laptop:
            shown = requests.get(laptop.url(), timeout=10).text
            assert "What the device ran on before goes on running." in shown
            assert given(laptop, ssid=option("factory"), password=PASSWORD).ok
        assert blank.outcome(text) == (2, "ok")


def test_with_a_network_that_it_keeps_nobody_is_asked(blank: Carried) -> None:
    first, second = without_wifi(blank), without_wifi(blank, 2)
    with joined(blank) as phone:
        assert pasted(phone, first).ok
        assert given(phone, ssid=option("factory"), password=PASSWORD).ok
    assert blank.outcome(first) == (1, "ok")
    with joined(blank, "laptop") as laptop:
        assert 'id="taken"' in pasted(laptop, second).text
    assert blank.outcome(second) == (2, "ok")


def test_a_factory_reset_forgets_what_waits(blank: Carried) -> None:
    with joined(blank) as phone:
        assert pasted(phone, without_wifi(blank)).ok
        assert given(phone, other="nowhere", password=_WRONG).ok
    blank.board.press("button", ms=16_000)
    blank.board.expect(rb"life configuration forgotten", _PATIENCE_S)
    assert "local" not in blank.mpremote("exec", _STATE)
    assert not any(name.endswith(".muster") for name in blank.files())
