# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Memory in the RTC outlives the program."""

import pytest

from muster_harness.units.emulated import EmulatedBoard


@pytest.mark.parametrize("end", [b"\x04", b"machine.reset()\r", b"machine.deepsleep(1)\r"])
def test_backup_memory_outlives_the_program(board: EmulatedBoard, end: bytes) -> None:
    board.write(b"import machine; m = machine.mem_backup(); m[2047] = 7; m[0:3] = b'abc'\r")
    board.write(b"machine.RTC().memory(b'xy'); print(len(m), bytes(m[:4]))\r")
    board.expect(rb"2048 b'xyc\\x00'\r\n")
    board.write(end)
    board.expect(rb"(soft reboot|rst:).*>>> ")
    board.write(b"import machine; m = machine.mem_backup(-1)[0]; m[1] = 0x7a\r")
    board.write(b"print(m[2047], machine.RTC().memory())\r")
    board.expect(rb"7 b'xz'\r\n")
