# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Joining, in every way in which an ESP32 says yes or no: the device's own code on a board."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from muster_harness.air.air import Air
from muster_harness.units.emulated import EmulatedBoard
from tests.firmware.bench_board import ask, board_with_firmware

PASSWORD = "a password for tests"

# Joins and prints the outcome code, or "joined" and the address.
JOIN = """
import asyncio
from muster import hardware
from muster.errors import DeviceError
from muster.wifi import Wifi
wifi = Wifi(hardware.open_wlan("board"), hardware.country())
wifi.start("DE")
async def join(ssid, psk, timeout_ms=5000, ip="dhcp", bssid=None):
    try:
        place = (ssid.encode(), bssid, 0 if bssid else 1, None, None)
        await wifi.join(place, psk, timeout_ms, ip)
        print("joined", wifi.address()[0])
    except DeviceError as e:
        print(e.code)
"""


@pytest.fixture
def air() -> Iterator[Air]:
    with Air() as air:
        yield air


@pytest.fixture
def board(air: Air, tmp_path: Path, firmware_flash: Path) -> Iterator[EmulatedBoard]:
    with board_with_firmware(firmware_flash, tmp_path / "board", air) as board:
        yield board


def joined(board: EmulatedBoard, *calls: str) -> list[str]:
    """The last word of each join."""
    said = ask(board, JOIN + "".join(f"asyncio.run(join({call}))\n" for call in calls))
    words = (line for line in said.splitlines() if not line.startswith("M "))
    return [word.split()[0] for word in words]


def test_an_open_network_is_joined_and_gives_an_address(air: Air, board: EmulatedBoard) -> None:
    point = air.add_access_point("open")
    said = ask(board, JOIN + 'asyncio.run(join("open", None))')
    assert f"joined {point.network.removesuffix('0/24')}" in said


def test_a_protected_network_is_joined_with_its_password(air: Air, board: EmulatedBoard) -> None:
    air.add_access_point("net", password=PASSWORD)
    assert joined(board, f'"net", "{PASSWORD}"') == ["joined"]


@pytest.mark.parametrize("reason", [2, 15, 202, 204, 205])
def test_a_wrong_password_is_named_however_the_driver_says_it(
    air: Air, board: EmulatedBoard, reason: int
) -> None:
    air.add_access_point("net", password=PASSWORD, wrong_password_reason=reason)
    assert joined(board, '"net", "another password"') == ["wifi_auth"]


def test_an_absent_network_is_named(air: Air, board: EmulatedBoard) -> None:
    assert joined(board, '"nowhere", None') == ["wifi_no_ap"]


def test_a_network_out_of_range_is_absent(air: Air, board: EmulatedBoard) -> None:
    air.add_access_point("far").out_of_range.add(board.name)
    assert joined(board, '"far", None') == ["wifi_no_ap"]


def test_security_that_does_not_match_is_named(air: Air, board: EmulatedBoard) -> None:
    air.add_access_point("open")
    air.add_access_point("net", password=PASSWORD)
    assert joined(board, f'"open", "{PASSWORD}"', '"net", None') == ["wifi_security"] * 2


def test_a_network_without_dhcp_is_told_from_one_that_does_not_answer(
    air: Air, board: EmulatedBoard
) -> None:
    air.add_access_point("mute", dhcp_s=None)
    assert joined(board, '"mute", None, 700') == ["dhcp_timeout"]


def test_a_static_address_needs_no_dhcp(air: Air, board: EmulatedBoard) -> None:
    point = air.add_access_point("mute", dhcp_s=None)
    own = point.gateway.removesuffix(".1") + ".77"
    ip = f'{{"address": "{own}/24", "gateway": "{point.gateway}", "dns": "{point.gateway}"}}'
    said = ask(board, JOIN + f'asyncio.run(join("mute", None, 2000, {ip}))')
    assert f"joined {own}" in said


def test_after_a_static_address_dhcp_works_again(air: Air, board: EmulatedBoard) -> None:
    point = air.add_access_point("net")
    own = point.gateway.removesuffix(".1") + ".77"
    ip = f'{{"address": "{own}/24", "gateway": "{point.gateway}", "dns": "{point.gateway}"}}'
    said = ask(
        board,
        JOIN
        + f'asyncio.run(join("net", None, 2000, {ip}))\n'
        + 'asyncio.run(join("net", None, 2000))\n',
    )
    assert f"joined {point.gateway.removesuffix('.1')}.2" in said


def test_the_reason_of_a_former_failure_is_not_taken_for_this_one(
    air: Air, board: EmulatedBoard
) -> None:
    air.add_access_point("net", password=PASSWORD)
    calls = ('"net", "another password"', f'"net", "{PASSWORD}"')
    assert joined(board, *calls) == ["wifi_auth", "joined"]


def test_going_from_one_network_to_another_leaves_the_first(
    air: Air, board: EmulatedBoard
) -> None:
    air.add_access_point("first")
    air.add_access_point("second")
    assert joined(board, '"first", None', '"second", None') == ["joined", "joined"]
    assert [event.details["ssid"] for event in air.traced("leave")] == [b"first"]


def test_joining_again_while_the_driver_still_tries_is_no_error(
    air: Air, board: EmulatedBoard
) -> None:
    air.add_access_point("net")
    air.association_s = 0.3
    said = ask(
        board,
        JOIN + 'hardware.open_wlan("board").connect("net")\nasyncio.run(join("net", None))',
        keep_log=True,
    )
    assert "joined 127" in said


def test_a_scan_shows_each_access_point_strongest_first_and_any_bytes(
    air: Air, board: EmulatedBoard
) -> None:
    air.add_access_point("weak", rssi=-80)
    air.add_access_point("twice", rssi=-70)
    air.add_access_point("twice", rssi=-40)
    air.add_access_point(b"\xc6net\x00\xff", rssi=-60)
    said = ask(board, JOIN + "print([s[0] for s in wifi.scan()])")
    assert said.strip() == repr([b"twice", b"\xc6net\x00\xff", b"twice", b"weak"])


def test_an_empty_scan_is_tried_once_more(air: Air, board: EmulatedBoard) -> None:
    air.add_access_point("net")
    air.scan_fails = 1
    assert ask(board, JOIN + "print(len(wifi.scan()))").strip() == "1"


def test_one_of_two_access_points_can_be_named(air: Air, board: EmulatedBoard) -> None:
    air.add_access_point("net", channel=1, rssi=-30)
    far = air.add_access_point("net", channel=11, rssi=-80)
    assert joined(board, f'"net", None, bssid={far.bssid!r}') == ["joined"]
    assert air.traced("join")[0].details["bssid"] == far.bssid.hex(":")


CANCELLED = """
async def given_up():
    task = asyncio.create_task(join("mute", None, 20000))
    await asyncio.sleep_ms(500)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        pass
asyncio.run(given_up())
"""
# As a program that never heard of Muster leaves the radio: connecting, for ever.
CONNECTING = "import network; w = network.WLAN(); w.active(True); w.connect('mute')\n"


@pytest.mark.parametrize(
    "before", ['asyncio.run(join("mute", None, 500))', CANCELLED], ids=["failed", "cancelled"]
)
def test_a_join_that_ends_in_any_way_leaves_the_radio_free(
    air: Air, board: EmulatedBoard, before: str
) -> None:
    air.add_access_point("mute", dhcp_s=None)
    air.add_access_point("net")
    after = '\nprint(len(wifi.scan()))\nwifi.start("DE")\nasyncio.run(join("net", None))'
    assert ask(board, JOIN + before + after).split()[-3:-1] == ["2", "joined"]


def test_a_radio_that_another_program_left_connecting_is_made_our_own(
    air: Air, board: EmulatedBoard
) -> None:
    air.add_access_point("mute", dhcp_s=None)
    air.add_access_point("net")
    said = ask(
        board,
        CONNECTING
        + JOIN
        + 'print(w.config("reconnects"), len(wifi.scan()))\nasyncio.run(join("net", None))',
    )
    assert said.split()[:3] == ["0", "2", "joined"]


def test_an_address_that_another_program_has_set_is_given_up(
    air: Air, board: EmulatedBoard
) -> None:
    point = air.add_access_point("net")
    prefix = point.gateway.removesuffix(".1")
    other = f"('{prefix}.99', '255.255.255.0', '{point.gateway}', '{point.gateway}')"
    said = ask(
        board,
        "import network; w = network.WLAN(); w.active(True); "
        f"w.ifconfig({other})\n" + JOIN + 'asyncio.run(join("net", None))',
    )
    assert said.split() == ["joined", f"{prefix}.2"]
