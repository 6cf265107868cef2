# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Pins and buses over time, read with vcdvcd, which nobody here wrote."""

import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from muster_harness import EmulatedBoard, RegisterMap


@pytest.fixture(scope="module")
def vcdvcd() -> Any:
    """The reader. Its import lets the next broken pipe end the process: not ours."""
    before = signal.getsignal(signal.SIGPIPE)
    import vcdvcd

    signal.signal(signal.SIGPIPE, before)
    return vcdvcd


def test_levels_and_bytes_stand_at_their_times(
    board: EmulatedBoard, tmp_path: Path, vcdvcd: Any
) -> None:
    board.buses.i2c[0x48] = RegisterMap({0: b"\x19\x00"})
    board.exec("from machine import I2C, Pin, UART; import time; p = Pin(5, Pin.OUT, value=0)")
    board.exec("p(1); time.sleep_ms(20); p(0)")
    board.exec("I2C(0, scl=Pin(22), sda=Pin(21)).readfrom_mem(0x48, 0, 2)")
    board.exec("UART(1, tx=9, rx=10).write(b'hi')")
    board.close()
    waves = vcdvcd.VCDVCD(str(board.log_path.with_suffix(".vcd")))
    rise, fall = (at for at, level in waves["board.pin5"].tv if level in "01")
    assert 20_000 <= fall - rise < 200_000
    values = [int(v, 2) for _, v in waves["board.i2c_read"].tv if "x" not in v]
    assert values == [0x19, 0x00]
    assert [int(v, 2) for _, v in waves["board.i2c_address"].tv if "x" not in v] == [0x48]
    assert [int(v, 2) for _, v in waves["board.uart1_tx"].tv if "x" not in v] == [*b"hi"]


def test_a_supervisor_that_hears_late_draws_the_pulse_that_was(
    board: EmulatedBoard, vcdvcd: Any
) -> None:
    board.exec("from machine import Pin; import time; p = Pin(5, Pin.OUT, value=0)")
    busy = threading.Timer(0.07, lambda: board._loop.post(lambda: time.sleep(0.5)))
    busy.start()
    try:
        board.exec("time.sleep_ms(150); p(1); time.sleep_ms(20); p(0)")
    finally:
        busy.join()
    board.close()
    waves = vcdvcd.VCDVCD(str(board.log_path.with_suffix(".vcd")))
    rise, fall = (at for at, level in waves["board.pin5"].tv if level in "01")
    assert 20_000 <= fall - rise < 200_000


def test_a_board_whose_pins_stand_still_has_no_file(board: EmulatedBoard) -> None:
    board.exec("print(1)")
    assert not board.log_path.with_suffix(".vcd").exists()
