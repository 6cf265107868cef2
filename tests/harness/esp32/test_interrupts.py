# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Ctrl-C stops what runs, and never in the middle of a flash operation."""

import random
import time

import pytest

from muster_harness.units.emulated import EmulatedBoard
from muster_harness.wire.repl import REPL

INTERRUPTED = rb"KeyboardInterrupt: \r\n>>> "


def begin(board: EmulatedBoard, code: bytes) -> None:
    """Type a line, and return when its code runs."""
    board.write(b"exec(%r)\r" % (b"print('be' + 'gun')\n" + code).decode())
    board.expect(rb"begun\r\n", 5)


@pytest.mark.parametrize(
    "code",
    [
        b"import time; time.sleep(60)",
        b"while True: pass",
        b"import machine; machine.lightsleep(60000)",
        b"import select; select.poll().poll()",
        b"import asyncio; asyncio.run(asyncio.wait_for(asyncio.Event().wait(), 60))",
        b"import sys; sys.stdin.read(1)",
    ],
)
def test_ctrl_c_stops(board: EmulatedBoard, code: bytes) -> None:
    begin(board, code)
    board.write(b"\x03")
    board.expect(INTERRUPTED, 1)


def test_ctrl_c_at_the_prompt_gives_a_new_one(board: EmulatedBoard) -> None:
    board.write(b"half a li\x03")
    board.expect(rb"half a li\r\n>>> ", 1)


def test_ctrl_c_while_booting_stops_main(board: EmulatedBoard) -> None:
    with REPL(board.port) as repl:
        repl.exec("with open('main.py', 'w') as f: f.write('while True: pass')")
    board.forget_output()
    board.reset()
    board.write(b"\x03")
    board.expect(rb"KeyboardInterrupt: \r\nMicroPython", 2)


def test_kbd_intr_lets_the_byte_through(board: EmulatedBoard) -> None:
    begin(board, b"import micropython, sys; micropython.kbd_intr(-1); print(sys.stdin.read(1))")
    board.write(b"\x03")
    board.expect(rb"\x03\r\n>>> ", 1)


def test_interrupting_flash_writes_corrupts_nothing(board: EmulatedBoard) -> None:
    """200 Ctrl-C at random moments of a program that writes and sleeps, as firmware does."""
    rng = random.Random(4)
    with REPL(board.port) as repl:
        repl.exec(
            "with open('busy.py', 'w') as f: f.write('''\n"
            "import time\n"
            "def run():\n"
            "    print('be' + 'gun')\n"
            "    while True:\n"
            "        for i in range(4):\n"
            "            with open('f%d' % i, 'w') as f:\n"
            "                f.write(str(i) * 700)\n"
            "        time.sleep_ms(1)\n"
            "''')"
        )
    board.write(b"import busy\r")
    for _ in range(200):
        board.forget_output()
        board.write(b"busy.run()\r")
        # a Ctrl-C before that is one at the prompt, which on an ESP32 too interrupts nothing
        board.expect(rb"begun\r\n", 5)
        time.sleep(rng.uniform(0.005, 0.02))
        board.write(b"\x03")
        board.expect(INTERRUPTED, 5)
    board.write(b"\x04")
    board.expect(rb"soft reboot.*>>> ")
    with REPL(board.port) as repl:
        for i in range(4):
            assert repl.eval(f"open('f{i}').read() in ('', str({i}) * 700)") is True
