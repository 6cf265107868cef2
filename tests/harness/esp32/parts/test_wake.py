# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A board wakes from deep and light sleep, and knows afterwards what woke it."""

import time

import pytest

from muster_harness.control import Refusal
from muster_harness.errors import RemoteError
from muster_harness.units.emulated import EmulatedBoard
from muster_harness.wire.repl import REPL

AFTER = (
    b"from machine import *; print('%d %d %r.' % (reset_cause(), wake_reason(), wake_pins()))\r"
)


def wait_for_sleep(board: EmulatedBoard) -> None:
    end = time.monotonic() + 10
    while "* deep sleep" not in board.log_path.read_text():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("setup", "pin", "level", "known"),
    [
        ("esp32.wake_on_ext0(Pin(4, Pin.IN), esp32.WAKEUP_ANY_HIGH)", 4, 1, rb"4 2 \(\)"),
        (
            "esp32.wake_on_ext0(Pin(4, Pin.IN, Pin.PULL_UP), esp32.WAKEUP_ALL_LOW)",
            4,
            0,
            rb"4 2 \(\)",
        ),
        ("esp32.wake_on_ext1((Pin(25), Pin(26)), esp32.WAKEUP_ANY_HIGH)", 26, 1, rb"4 3 \(26,\)"),
        ("Pin(27).irq(trigger=Pin.WAKE_HIGH, wake=DEEPSLEEP)", 27, 1, rb"4 2 \(\)"),
    ],
)
def test_a_pin_wakes_from_deep_sleep(
    board: EmulatedBoard, setup: str, pin: int, level: int, known: bytes
) -> None:
    board.write(
        b"import esp32; from machine import *\r" + setup.encode() + b"\rdeepsleep(60000)\r"
    )
    wait_for_sleep(board)
    board.forget_output()
    board.drive(pin, level)
    board.expect(rb"DEEPSLEEP_RESET.*>>> ")
    board.write(AFTER)
    board.expect(known + rb"\.\r\n")


def test_a_hard_reset_forgets_what_would_wake(board: EmulatedBoard) -> None:
    board.write(
        b"import esp32, machine; esp32.wake_on_ext0(machine.Pin(4), True); machine.reset()\r"
    )
    board.expect(rb"SW_CPU_RESET.*>>> ")
    board.drive(4, 1)
    board.write(b"import machine; machine.deepsleep(50)\r")
    board.expect(rb"DEEPSLEEP_RESET.*>>> ")
    board.write(AFTER)
    board.expect(rb"4 4 \(\)\.\r\n")


@pytest.mark.parametrize(
    ("setup", "reason"),
    [("", 4), ("esp32.wake_on_ext0(Pin(4), True)", 2), ("esp32.wake_on_gpio([Pin(4)], True)", 7)],
)
def test_light_sleep_goes_on_behind_the_call(
    board: EmulatedBoard, repl: REPL, setup: str, reason: int
) -> None:
    repl.exec(f"import esp32; from machine import *\n{setup}")
    if setup:
        board.drive(4, 1)
    repl.exec("n = []; t = Timer(0, period=20, callback=n.append)\nlightsleep(100)\nquiet = not n")
    assert repl.eval("(wake_reason(), quiet)") == (reason, True)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("Pin(5).irq(trigger=Pin.WAKE_LOW, wake=DEEPSLEEP)", "ValueError: invalid pin for wake"),
        ("Pin(4).irq(trigger=Pin.WAKE_LOW, wake=1)", "ValueError: bad wake value"),
        ("esp32.wake_on_ext1([Pin(5)], True)", "ValueError: invalid pin"),
        (
            "esp32.wake_on_gpio([Pin(4)], True); deepsleep(1)",
            "gpio pins not supported on this chip",
        ),
    ],
)
def test_what_cannot_wake_is_refused(repl: REPL, code: str, words: str) -> None:
    repl.exec("import esp32; from machine import *")
    with pytest.raises(RemoteError, match=words):
        repl.exec(code)


def test_outputs_end_in_deep_sleep_unless_held(board: EmulatedBoard) -> None:
    board.write(
        b"from machine import *; Pin(2, Pin.OUT, value=1); Pin(4, Pin.OUT, value=1, hold=True)\r"
    )
    board.write(b"deepsleep()\r")
    wait_for_sleep(board)
    assert (board.level(2), board.level(4)) == (0, 1)
    board.power_off()
    board.power_on()
    assert board.level(4) == 0


def test_a_sleep_that_cannot_be_does_not_stop_the_chip(board: EmulatedBoard) -> None:
    """The shims refuse it in a board's own words (arguments.probe); this is behind them."""
    board.exec("alive = 1")
    with pytest.raises(Refusal, match="str to int"):
        board._loop.call(lambda: board._supervisor._hardware_calls.answer("deepsleep", ["x"]))
    assert board.eval("alive") == 1
