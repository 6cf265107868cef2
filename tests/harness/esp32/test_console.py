# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The console shows an ESP32's REPL, whatever pieces the interpreter's output comes in."""

import pytest

from muster_harness.esp32.console import Console

HOST = b"MicroPython 9458e3a23f on 2026-07-05; linux [GCC 14.2.1] version\r\nType\r\n>>> "
OURS = b"MicroPython v1.29; Board\r\nType\r\n>>> "
RAW = b"raw REPL; CTRL-B to exit\r\n>"


@pytest.fixture
def console() -> Console:
    return Console(b"MicroPython v1.29; Board")


@pytest.mark.parametrize("size", [1, 7, 200])
def test_the_banner_is_the_boards_in_any_pieces(console: Console, size: int) -> None:
    console.enters_repl(raw=False)
    data = b"Mi casa\n" + HOST
    pieces = [console.feed(data[i : i + size]) for i in range(0, len(data), size)]
    assert b"".join(pieces) + console.flush() == b"Mi casa\r\n" + OURS


def test_the_friendly_banner_is_dropped_on_the_way_to_raw_mode(console: Console) -> None:
    assert console.feed(b"boot\n") == b"boot\r\n"
    console.enters_repl(raw=True)
    assert console.feed(HOST) + console.feed(b"\r\n" + RAW) == RAW
    assert console.is_raw


def test_raw_mode_is_entered_by_ctrl_a_and_left_by_ctrl_b(console: Console) -> None:
    console.enters_repl(raw=False)
    console.feed(HOST)
    console.saw_input(b"\x01")
    console.feed(RAW)
    assert console.is_raw
    console.saw_input(b"\r\x02")
    assert console.feed(b"\r\n" + HOST) == b"\r\n" + OURS
    assert not console.is_raw


def test_a_program_that_prints_the_raw_banner_fools_nobody(console: Console) -> None:
    console.enters_repl(raw=False)
    console.feed(HOST)
    console.feed(RAW)
    assert not console.is_raw


def test_lf_becomes_crlf_once_even_when_cut_in_two(console: Console) -> None:
    assert console.feed(b"a\nb\r") + console.feed(b"\nc\n") == b"a\r\nb\r\nc\r\n"


def test_what_is_held_back_for_a_banner_can_be_flushed(console: Console) -> None:
    console.enters_repl(raw=False)
    assert console.feed(b"M") == b""
    assert console.holds
    assert console.flush() == b"M"
