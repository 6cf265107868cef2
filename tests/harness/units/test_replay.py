# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What of two boards' words is the same, and how is a session parted into steps?"""

import pytest

from muster_harness.units.replay import plain, steps_of
from muster_harness.wire.session_file import Event


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("<function f at 0x3fce1a20>", "<function f at 0x7f3a5578cb40>"),
        ('b"&o(\'\\x97A"', "b'&o({\\xf9e'"),
        ("b'&o({\\xf9e'", "b'\\x24\\x0a\\xc4\\x00\\x01\\x10'"),
        ("240ac4000110", "24:0a:c4:00:01:10"),
        ("('192.168.1.7', '255.255.255.0')", "('127.77.1.2', '255.255.0.0')"),
        ("MicroPython v1.28.0 on 2026-04-06; a", "MicroPython v1.29.0-preview on 2026-07-05; b"),
        ("M 1234 I step 4 ok 320ms x", "M 99 I step 4 ok 7ms x"),
        ("E (261708) wifi: x", "E (12) wifi: x"),
        ("(2026, 11, 30, 15, 2, 1, 0, 334)", "(2000, 1, 1, 0, 0, 3, 5, 1)"),
        ("at 2026-11-30T15:02:01Z", "at 2000-01-01T00:00:01Z"),
        ("rst:0x1 (POWERON_RESET),boot:0x13 (SPI)", "rst:0x15 (POWERON_RESET),boot:0x8 (X)"),
        ("ets Jul 29 2019 12:21:46\r\n\r\nload:0x3fff0030,len:4892\r\n", "\r\n"),
    ],
)
def test_what_differs_from_board_to_board_is_not_compared(one: str, other: str) -> None:
    assert plain(one.encode()) == plain(other.encode())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("42", "43"),
        ("b'foobar'", "b'hello!'"),
        ("rst:0x1 (POWERON_RESET),boot:0x13 (SPI)", "rst:0xc (SW_CPU_RESET),boot:0x13 (SPI)"),
        ("step 4 ok 320ms", "step 4 wifi_auth 320ms"),
        ("0x1f", "0x2f"),
        (">>> ", ""),
    ],
)
def test_what_a_program_says_is_compared(one: str, other: str) -> None:
    assert plain(one.encode()) != plain(other.encode())


def test_a_session_is_parted_where_somebody_does_something() -> None:
    events = [
        Event(0.0, "from", b"a\n"),
        Event(1.0, "to", b"1"),
        Event(1.5, "from", b"b\n"),
        Event(2.0, "from", b"c\n"),
        Event(5.0, "reset"),
        Event(5.1, "to", b"2"),
    ]
    steps = steps_of(events)
    assert [(s.name, s.said) for s in steps] == [
        ("after '1'", b"b\nc\n"),
        ("after a reset", b""),
        ("after '2'", b""),
    ]
    assert (steps[0].pause_s, steps[0].took_s, steps[1].pause_s) == (1.0, 1.0, 3.0)
    assert steps_of([]) == []
