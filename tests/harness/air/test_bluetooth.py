# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A thermometer and who reads it, by Bluetooth: found, connected, read, written, notified."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from muster_harness import Air, EmulatedBoard

_PERIPHERAL = """
import bluetooth, time
from bluetooth import UUID
ble = bluetooth.BLE()
ble.active(True)
seen = []
def handler(event, data):
    seen.append((event, data[1]) if event in (3, 4) else event)
    if event == 4 and refuses:
        return 5
refuses = False
ble.irq(handler)
((value,),) = ble.gatts_register_services(((UUID(0x181A), ((UUID(0x2A6E), 0x1A),)),))
ble.gatts_write(value, b"21.5")
ble.gap_advertise(20000, b"\\x02\\x01\\x06", resp_data=b"\\x05\\x09lamp")
"""
_CENTRAL = """
import bluetooth, time
from bluetooth import UUID
ble = bluetooth.BLE()
ble.active(True)
seen = []
def handler(event, data):
    seen.append((event,) + tuple(bytes(d) if isinstance(d, memoryview) else d for d in data))
ble.irq(handler)
def until(event):
    begin = time.ticks_ms()
    while not [s for s in seen if s[0] == event]:
        if time.ticks_diff(time.ticks_ms(), begin) > 5000:
            raise OSError("no %d in %r" % (event, seen))
        time.sleep_ms(5)
    found = [s for s in seen if s[0] == event]
    seen.clear()
    return found
def connect():
    ble.gap_connect(0, lamp)
    return until(7)[0][1]
"""


@pytest.fixture
def two(tmp_path: Path, air: Air) -> Iterator[tuple[EmulatedBoard, EmulatedBoard]]:
    with (
        EmulatedBoard(tmp_path / "phone", air=air) as phone,
        EmulatedBoard(tmp_path / "lamp", air=air) as lamp,
    ):
        for board, code in ((phone, _CENTRAL), (lamp, _PERIPHERAL)):
            board.power_on()
            board.expect(">>> ")
            board.exec(code)
        mac = lamp.eval("ble.config('mac')[1]")
        phone.exec(f"lamp = {mac!r}")
        yield phone, lamp


def attend(board: EmulatedBoard) -> None:
    """Let a program that stands at the prompt handle its events."""
    board.exec("time.sleep_ms(50)")


def test_it_is_found_with_what_it_says_of_itself(
    two: tuple[EmulatedBoard, EmulatedBoard], air: Air
) -> None:
    phone, lamp = two
    phone.exec(
        "heard = []; ble.irq(lambda e, d: heard.append((e, d[2], bytes(d[4])) if d else e))"
    )
    phone.exec("ble.gap_scan(100, 30000, 30000, True); time.sleep_ms(300)")
    heard = phone.eval("heard")
    assert (5, 0, b"\x02\x01\x06") in heard and (5, 4, b"\x05\x09lamp") in heard
    assert heard[-1] == 6
    air.ether.separate("phone", "lamp")
    phone.exec("heard.clear(); ble.gap_scan(50, 30000, 30000); time.sleep_ms(150)")
    assert phone.eval("heard") == [6]


def test_values_are_read_written_and_notified(two: tuple[EmulatedBoard, EmulatedBoard]) -> None:
    phone, lamp = two
    connection = phone.eval("connect()")
    phone.exec(f"c = {connection}; ble.gattc_discover_services(c, UUID(0x181A))")
    phone.exec("start, end = until(9)[0][2:4]; time.sleep_ms(20)")
    phone.exec("ble.gattc_discover_characteristics(c, start, end)")
    phone.exec("value = until(11)[0][3]; ble.gattc_read(c, value)")
    attend(lamp)
    assert phone.eval("until(15)[0][3]") == b"21.5"
    phone.exec("ble.gattc_write(c, value, b'on', 1)")
    attend(lamp)
    assert phone.eval("until(17)[0][3]") == 0
    assert lamp.eval("(time.sleep_ms(1), ble.gatts_read(value))[1]") == b"on"
    phone.exec("ble.gattc_write(c, value + 1, b'\\x01\\x00', 1); until(17)")
    attend(lamp)
    lamp.exec("ble.gatts_write(value, b'warm', True)")
    assert phone.eval("until(18)[0][3]") == b"warm"
    lamp.exec("ble.gatts_indicate(0, value, b'hot'); time.sleep_ms(50)")
    assert phone.eval("until(19)[0][3]") == b"hot"
    assert lamp.eval("seen[-1]") == 20


def test_what_may_not_be_is_refused(two: tuple[EmulatedBoard, EmulatedBoard]) -> None:
    phone, lamp = two
    phone.exec("c = connect(); ble.gattc_read(c, 99)")
    attend(lamp)
    assert phone.eval("until(16)[0][3]") == 0x101
    lamp.exec("refuses = True")
    value = lamp.eval("value")
    phone.exec(f"ble.gattc_read(c, {value})")
    attend(lamp)
    assert phone.eval("until(16)[0][3]") == 0x105


@pytest.mark.parametrize("how", ["power", "soft reset", "disconnect"])
def test_who_goes_is_missed(two: tuple[EmulatedBoard, EmulatedBoard], how: str) -> None:
    phone, lamp = two
    phone.exec("connect()")
    if how == "power":
        lamp.power_off()
    elif how == "soft reset":
        lamp.reset("soft")
    else:
        lamp.exec("ble.gap_disconnect(0)")
    assert phone.eval("until(8)[0][3] == lamp") is True
    assert phone.eval("ble.gap_disconnect(0)") is False


def test_a_program_that_does_not_listen_is_read_all_the_same(
    two: tuple[EmulatedBoard, EmulatedBoard],
) -> None:
    phone, lamp = two
    lamp.exec("ble.irq(None)")
    value = lamp.eval("value")
    phone.exec(f"c = connect(); ble.gattc_read(c, {value})")
    assert phone.eval("until(15)[0][3]") == b"21.5"
