# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Signals that fade, access points that take over, channels that are only listened to."""

from pathlib import Path
from typing import Any

import pytest

from muster_harness.air.air import Air
from muster_harness.errors import AirError
from muster_harness.units.emulated import EmulatedBoard
from muster_harness.wire.repl import REPL
from tests.harness.air.on_board import WLAN


@pytest.fixture
def wlan(repl: REPL, air: Air) -> REPL:
    air.association_s = air.failure_s = air.scan_s = 0.01
    repl.exec(WLAN)
    return repl


def test_who_walks_away_is_lost_and_another_takes_over(wlan: REPL, air: Air) -> None:
    hall = air.add_access_point("works", channel=1, rssi=-60)
    yard = air.add_access_point("works", channel=6, rssi=-95, beside=hall)
    wlan.exec("w.connect('works'); until(w.isconnected); first = w.ifconfig()")
    hall.fade(-110, over_s=0.4)
    yard.fade(-50, over_s=0.4)
    wlan.exec("until(lambda: w.status('rssi') < -70)")
    wlan.exec("until(lambda: w.isconnected() and w.config('channel') == 6)")
    assert wlan.eval("(w.ifconfig() == first, w.status('rssi') > -70)") == (True, True)
    assert len(air.traced("leave")) == 1


def test_a_signal_too_weak_is_not_heard(wlan: REPL, air: Air) -> None:
    point = air.add_access_point("far", rssi=-98)
    assert wlan.eval("w.scan()") == []
    point.rssi = -97
    wlan.exec("w.connect('far'); until(w.isconnected)")
    point.rssi = -100
    wlan.exec("until(lambda: not w.isconnected()); until(lambda: w.status() == 201)")


def test_one_is_thrown_out_with_a_reason(wlan: REPL, air: Air, board: EmulatedBoard) -> None:
    point = air.add_access_point("strict")
    wlan.exec("w.config(reconnects=0); w.connect('strict'); until(w.isconnected)")
    point.throw_out("somebody else", reason=4)
    assert wlan.eval("w.isconnected()") is True
    point.throw_out(board.name, reason=4)
    assert wlan.eval("(w.isconnected(), w.status())") == (False, 4)


@pytest.mark.parametrize(("lacks", "status"), [((), 1010), (("channels_12_13",), 201)])
def test_channels_above_11_are_only_listened_to(
    tmp_path: Path, air: Air, lacks: tuple[str, ...], status: int
) -> None:
    air.add_access_point("thirteen", channel=13)
    air.add_access_point("unseen", channel=13, hidden=True)
    with EmulatedBoard(tmp_path / "board", air=air, radio_lacks=lacks) as board:
        board.power_on()
        board.expect(rb">>> ")
        with board.repl() as repl:
            repl.exec("import network; network.country('DE')")  # which changes nothing
            repl.exec(WLAN + "w.config(reconnects=0)")
            assert len(repl.eval("w.scan()")) == (2 if not lacks else 0)
            repl.exec(f"w.connect('thirteen'); until(lambda: w.status() == {status})")
            repl.exec("w.disconnect(); w.connect('unseen'); until(lambda: w.status() == 201)")


def test_a_wrong_signal_is_an_air_error(air: Air) -> None:
    with pytest.raises(AirError, match="dBm"):
        air.add_access_point("loud", rssi=20)
    point = air.add_access_point("home")
    wrong: list[dict[str, Any]] = [{"to": -200, "over_s": 1}, {"to": -90, "over_s": 0}]
    for order in wrong:
        with pytest.raises(AirError):
            point.fade(**order)
    with pytest.raises(AirError, match="1 to 255"):
        point.throw_out(reason=0)
