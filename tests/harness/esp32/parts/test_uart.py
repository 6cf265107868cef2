# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The serial line is as fast as it is said to be, and what nobody reads is lost."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from muster_harness.units.emulated import EmulatedBoard
from muster_harness.wire.repl import REPL

COUNT = (
    b"import micropython, select, sys, time\r"
    b"def count(ms):\r"
    b"    micropython.kbd_intr(-1); print('re' + 'ady'); time.sleep_ms(ms)\r"
    b"    p = select.poll(); p.register(sys.stdin, 1); n = 0; s = b''\r"
    b"    while p.poll(300): s += sys.stdin.buffer.read(1)\r"
    b"    micropython.kbd_intr(3); return len(s), s[:3], s[-3:]\r\r"
)


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[EmulatedBoard]:
    with EmulatedBoard(tmp_path / "slow", baud=115_200) as board:
        board.power_on()
        board.expect(rb">>> ")
        yield board


def count(board: EmulatedBoard, ms: int, then: Callable[[], None]) -> bytes:
    board.write(COUNT)
    board.expect(rb">>> \Z")
    board.write(b"count(%d)\r" % ms)
    board.expect(rb"ready\r\n")
    then()
    return board.expect(rb"\((\d+, b'\d*', b'\d*')\)\r\n")[1]


def test_input_that_nobody_reads_fills_259_bytes_and_no_more(board: EmulatedBoard) -> None:
    seen = count(board, 200, lambda: board.write(b"123" + b"4" * 256 + b"5" * 300))
    assert seen == b"259, b'123', b'444'"
    assert "input overrun: 300 bytes lost" in board.log_path.read_text()


def test_input_that_is_read_in_time_is_complete(board: EmulatedBoard) -> None:
    seen = count(board, 0, lambda: board.write(b"123" + b"4" * 5000 + b"567"))
    assert seen == b"5006, b'123', b'567'"


def test_an_interrupt_passes_a_full_ring(board: EmulatedBoard) -> None:
    board.write(b"while True: pass\r\r")
    board.expect(rb"\.\.\. \r\n")
    board.write(b"x" * 400 + b"\x03")
    board.expect(rb"KeyboardInterrupt: \r\n>>> x+", 5)


def test_output_takes_the_lines_time(slow: EmulatedBoard) -> None:
    began = time.monotonic()
    slow.write(b"'a' * 2304\r")
    slow.expect(rb"'a{2304}'\r\n")
    assert time.monotonic() - began >= 0.2
    began = time.monotonic()
    slow.write(b"import sys; _ = [sys.stdout.buffer.write('b' * 64) for _ in range(36)]\r")
    slow.expect(rb"b{2304}>>> ")
    assert time.monotonic() - began >= 0.2


def test_input_takes_the_lines_time(slow: EmulatedBoard) -> None:
    began = time.monotonic()
    assert count(slow, 0, lambda: slow.write(b"1" * 2304)).startswith(b"2304,")
    assert time.monotonic() - began >= 0.2


def test_the_raw_repl_works_at_115200(slow: EmulatedBoard) -> None:
    with REPL(slow.port) as repl:
        began = time.monotonic()
        repl.exec(f"text = {'long text ' * 200!r}")
        assert repl.eval("text") == "long text " * 200
        assert time.monotonic() - began >= 4000 / 11520


def test_cutting_the_power_ends_what_is_being_sent(slow: EmulatedBoard) -> None:
    slow.write(b"while True: print('c' * 60)\r\r")
    slow.expect(rb"c{60}\r\n")
    slow.power_off()
    length = len(slow.output)
    time.sleep(0.05)
    assert len(slow.output) == length
    slow.power_on()
    slow.expect(rb"rst:0x1.*>>> ")
