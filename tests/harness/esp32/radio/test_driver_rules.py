# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A Wi-Fi driver's refusals differ by its version and by how it was built."""

from pathlib import Path
from typing import Any

import pytest

from muster_harness.air.air import Air
from muster_harness.errors import HarnessError, RemoteError
from muster_harness.units.emulated import EmulatedBoard
from tests.harness.air.on_board import WLAN

BUSY = [
    ("5.4", "w.config(reconnects=0)", None),
    ("5.4", "w.connect('mute')", "Wifi Internal Error"),
    ("5.5", "w.config(reconnects=0)", "Wifi Internal State Error"),
    ("5.5", "w.config(pm=0)", "Wifi Internal State Error"),
    ("5.5", "w.connect('mute')", "Wifi Internal State Error"),
]


@pytest.mark.parametrize(("idf", "code", "words"), BUSY)
@pytest.mark.parametrize("target", ["absent", "mute"])
def test_settings_while_connecting_differ_by_version(
    tmp_path: Path, air: Air, idf: str, code: str, words: str | None, target: str
) -> None:
    air.add_access_point("mute", dhcp_s=None)
    with EmulatedBoard(tmp_path / "board", air=air, idf=idf) as board:
        board.power_on()
        board.expect(rb">>> ")
        with board.repl() as repl:
            repl.exec(WLAN + f"w.connect({target!r})")
            if words is None:
                repl.exec(code)
            else:
                with pytest.raises(RemoteError, match=f"OSError: {words}"):
                    repl.exec(code)
                repl.exec("w.disconnect()\n" + code)  # and when it was left


SECURED: list[tuple[dict[str, Any], tuple[str, ...], int]] = [
    ({"security": 6}, (), 1010),
    ({"security": 7}, (), 1010),
    ({"requires_pmf": True}, (), 1010),
    ({"security": 6}, ("wpa3",), 210),
    ({"security": 7}, ("wpa3",), 1010),
    ({"requires_pmf": True}, ("pmf",), 210),
    ({"security": 7, "requires_pmf": True}, ("pmf", "wpa3"), 210),
    ({"security": 2}, (), 211),
    ({"security": 5}, (), 210),
]


@pytest.mark.parametrize(("secured", "lacks", "status"), SECURED)
def test_who_can_join_what(
    tmp_path: Path, air: Air, secured: dict[str, Any], lacks: tuple[str, ...], status: int
) -> None:
    air.add_access_point("home", password="long enough", **secured)
    with EmulatedBoard(tmp_path / "board", air=air, radio_lacks=lacks) as board:
        board.power_on()
        board.expect(rb">>> ")
        with board.repl() as repl:
            repl.exec(WLAN + "w.config(reconnects=0); w.connect('home', 'long enough')")
            repl.exec(f"until(lambda: w.status() == {status})")
            assert repl.eval("w.status()") == status


@pytest.mark.parametrize("wrong", [{"idf": "6.0"}, {"radio_lacks": ["antenna"]}])
def test_what_is_not_known_is_refused(tmp_path: Path, air: Air, wrong: dict[str, Any]) -> None:
    with pytest.raises(HarnessError, match="5.4 or 5.5|pmf, wpa3"):
        EmulatedBoard(tmp_path / "board", air=air, **wrong)


def test_starting_dhcp_twice_is_an_error_and_a_static_address_is_told(
    tmp_path: Path, air: Air
) -> None:
    air.add_access_point("home")
    with EmulatedBoard(tmp_path / "board", air=air) as board:
        board.power_on()
        board.expect(rb">>> ")
        with board.repl() as repl:
            repl.exec(WLAN + "w.ifconfig('dhcp'); w.connect('home'); until(w.isconnected)")
            with pytest.raises(RemoteError, match="RuntimeError: Wifi Unknown Error 0x5004"):
                repl.exec("w.ifconfig('dhcp')")
            repl.exec("a = w.ifconfig(); w.ifconfig(a)")
            assert repl.eval("w.ipconfig('dhcp4')") is False
        with board.repl(soft_reset=True) as repl:
            repl.exec("import network; w = network.WLAN()")
            assert repl.eval("w.ipconfig('dhcp4')") is False  # asked back after a soft reset
            repl.exec("w.ifconfig('dhcp')")
            assert repl.eval("w.ipconfig('dhcp4')") is True
