# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Resets print, remember and forget what they do on an ESP32."""

from pathlib import Path

import pytest

from muster_harness.errors import BoardError
from muster_harness.units.emulated import EmulatedBoard
from muster_harness.wire.repl import REPL
from tests.harness.conftest import write_file

CAUSE = b"import machine; 'cause', machine.reset_cause()\r"


def cause_of(board: EmulatedBoard) -> int:
    board.write(CAUSE)
    return int(board.expect(rb"\('cause', (\d)\)\r\n")[1])


def install_main(board: EmulatedBoard, text: str) -> None:
    with REPL(board.port) as repl:
        write_file(repl, "main.py", text)
    board.forget_output()


def test_power_on_prints_the_rom_banner_and_formats_a_blank_flash(
    off_board: EmulatedBoard,
) -> None:
    off_board.power_on()
    off_board.expect(rb"\Aets [^\r]*\r\n\r\nrst:0x1 \(POWERON_RESET\)")
    off_board.expect(rb"Performing initial setup\r\nMicroPython v[^\r]*ESP32\r\n")
    off_board.expect(rb">>> ")
    assert cause_of(off_board) == 1


def test_machine_reset_is_a_hard_reset(board: EmulatedBoard) -> None:
    board.write(b"import machine; machine.reset(); print('after')\r")
    board.expect(rb"rst:0xc \(SW_CPU_RESET\).*>>> ")
    assert cause_of(board) == 2
    assert b"\nafter" not in board.output


def test_ctrl_d_is_a_soft_reset_without_rom_banner(board: EmulatedBoard) -> None:
    board.write(b"\x04")
    board.expect(rb"\r\nMPY: soft reboot\r\nMicroPython [^\r]*\r\n[^\r]*\r\n>>> ")
    assert cause_of(board) == 5


def test_main_runs_after_a_soft_reset_in_friendly_mode_only(board: EmulatedBoard) -> None:
    install_main(board, "print('main runs')\n")
    board.write(b"\x04")
    board.expect(rb"soft reboot\r\nmain runs\r\n")
    board.forget_output()
    with REPL(board.port, soft_reset=True) as repl:
        assert repl.eval("1") == 1
    board.expect(rb"soft reboot\r\nraw REPL; CTRL-B to exit\r\n>")
    assert b"main runs" not in board.output.rpartition(b"soft reboot")[2]


def test_leaving_main_by_system_exit_soft_resets(board: EmulatedBoard) -> None:
    text = "import machine, sys\nif machine.reset_cause() != 5: sys.exit()\nprint('second')\n"
    install_main(board, text)
    board.reset()
    board.expect(rb"MPY: soft reboot\r\nsecond\r\n")


def test_an_exception_in_main_leads_to_the_prompt(board: EmulatedBoard) -> None:
    install_main(board, "def f():\n    1 / 0\nf()\n")
    board.reset()
    board.expect(
        rb"Traceback \(most recent call last\):\r\n"
        rb'  File "main.py", line 3, in <module>\r\n'
        rb'  File "main.py", line 2, in f\r\n'
        rb"ZeroDivisionError: divide by zero\r\nMicroPython "
    )


def test_a_failing_boot_py_keeps_main_from_running(board: EmulatedBoard) -> None:
    install_main(board, "print('main runs')\n")
    with REPL(board.port) as repl:
        write_file(repl, "boot.py", "raise ValueError('no')\n")
    board.forget_output()
    board.reset()
    seen = board.expect(rb"ValueError: no\r\n(.*)>>> ")[1]
    assert b"main runs" not in seen


def test_the_watchdog_bites_a_busy_program(board: EmulatedBoard) -> None:
    board.write(b"import machine; machine.WDT(timeout=60)\rwhile True: pass\r\r")
    board.expect(rb"mpy_machine_wdt.*Rebooting.*SW_CPU_RESET.*>>> ")
    assert cause_of(board) == 3


def test_the_watchdog_survives_a_soft_reset(board: EmulatedBoard) -> None:
    board.write(b"import machine; w = machine.WDT(timeout=300)\r\x04")
    board.expect(rb"soft reboot")
    board.expect(rb"mpy_machine_wdt.*>>> ")
    assert cause_of(board) == 3


def test_a_fed_watchdog_is_quiet(repl: REPL) -> None:
    repl.exec("import machine, time\nw = machine.WDT(timeout=150)")
    repl.exec("for _ in range(10):\n    time.sleep_ms(30)\n    w.feed()")
    repl.exec("machine.WDT(timeout=60000)")


def test_deep_sleep_ends_in_a_start_with_its_own_cause(board: EmulatedBoard) -> None:
    board.write(b"import machine; machine.deepsleep(30)\r")
    board.expect(rb"DEEPSLEEP_RESET.*>>> ")
    assert cause_of(board) == 4
    board.write(b"machine.wake_reason() == machine.TIMER_WAKE\r")
    board.expect(rb"True\r\n")


def test_clock_and_rtc_memory_survive_resets_but_not_the_power(board: EmulatedBoard) -> None:
    board.write(b"import machine, time; machine.RTC().datetime((2026,7,4,0,12,0,0,0))\r")
    board.write(b"machine.RTC().memory(b'kept'); machine.reset()\r")
    board.expect(rb"SW_CPU_RESET.*>>> ")
    board.write(b"import machine, time; machine.RTC().memory(), time.gmtime()[:3]\r")
    board.expect(rb"\(b'kept', \(2026, 7, 4\)\)")
    board.power_off()
    board.power_on()
    board.expect(rb"POWERON_RESET.*>>> ")
    board.write(b"import machine, time; machine.RTC().memory(), time.gmtime()[:5]\r")
    board.expect(rb"\(b'', \(2000, 1, 1, 0, 0\)\)")


def test_output_has_crlf_but_the_raw_buffer_is_left_alone(board: EmulatedBoard) -> None:
    board.forget_output()
    board.write(b"import sys; print('a\\nb'); _ = sys.stdout.buffer.write(b'c\\nd\\n')\r")
    board.expect(rb"a\r\nb\r\nc\nd\n>>> ")


def test_what_a_board_is_off_for_is_refused(off_board: EmulatedBoard) -> None:
    with pytest.raises(BoardError, match=r"is off; power_on\(\) first"):
        off_board.reset()


def test_a_heap_too_small_to_boot_is_said_and_not_tried_for_ever(tmp_path: Path) -> None:
    with EmulatedBoard(tmp_path / "small", heap="8K") as board:
        board.power_on()
        with pytest.raises(BoardError, match="heap too small"):
            board.expect(rb">>> ")
