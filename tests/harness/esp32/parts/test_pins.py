# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Pins: levels from both sides, interrupts delivered where a program waits, timers beside them."""

import pytest

from muster_harness.errors import CannotDo, RemoteError
from muster_harness.units.emulated import EmulatedBoard
from muster_harness.wire.repl import REPL


def test_a_press_pulls_the_button_down_and_lets_it_go(board: EmulatedBoard) -> None:
    board.write(b"from machine import Pin; p = Pin(0, Pin.IN, Pin.PULL_UP)\r")
    board.write(b"while p.value(): pass\r\rprint('do' + 'wn')\r")
    board.write(b"while not p.value(): pass\r\rprint('u' + 'p')\r")
    board.press("button", ms=50)
    board.expect(rb"down\r\n.*up\r\n")


def test_the_led_follows_its_pin(board: EmulatedBoard, repl: REPL) -> None:
    repl.exec("from machine import Pin, Signal; led = Pin(2, Pin.OUT, value=1)")
    assert board.is_lit
    repl.exec("led.off()\nled.value()")
    assert not board.is_lit
    repl.exec("Signal(led, invert=True).off(); led.value()")
    assert board.is_lit


@pytest.mark.parametrize(
    "wait",
    [
        "time.sleep_ms(5)",
        "select.poll().poll(5)",
        "asyncio.run(nap())",
        "machine.idle()",
    ],
)
def test_an_interrupt_arrives_where_a_program_waits(
    board: EmulatedBoard, repl: REPL, wait: str
) -> None:
    repl.exec("import asyncio, machine, select, time; seen = []; p = machine.Pin(4)")
    repl.exec("p.irq(lambda pin: seen.append(pin is p), machine.Pin.IRQ_RISING)")
    repl.exec("async def nap():\n    await asyncio.sleep_ms(5)")
    board.drive(4, 1)
    board.drive(4, 0)
    board.drive(4, 1)
    assert repl.eval("seen") == []
    repl.exec(f"{wait}\n{wait}")
    assert repl.eval("seen") == [True, True]


def test_more_interrupts_than_the_scheduler_keeps_are_lost(
    board: EmulatedBoard, repl: REPL
) -> None:
    """Edges are noted while the program is in the driver, which no handler interrupts."""
    repl.exec("import machine, network, time; seen = []; p = machine.Pin(4)")
    repl.exec("p.irq(seen.append); w = network.WLAN(); w.active(True)")
    for edge in range(20):
        board.drive(4, 1 - edge % 2)
    repl.exec("w.scan(); time.sleep_ms(20)")
    assert repl.eval("len(seen)") == 8


def test_a_busy_program_loses_edges_and_the_board_goes_on(
    board: EmulatedBoard, repl: REPL
) -> None:
    repl.exec("import machine, time; seen = []; p = machine.Pin(4); p.irq(seen.append)")
    repl.send("while True: pass")
    for edge in range(2000):
        board.drive(4, 1 - edge % 2)
    repl.close()
    assert board.eval("time.sleep_ms(20) or len(seen)") == 8


def test_an_interrupt_wakes_a_thread_safe_flag(board: EmulatedBoard, repl: REPL) -> None:
    repl.exec("import asyncio, machine; p = machine.Pin(4); flag = asyncio.ThreadSafeFlag()")
    repl.exec("p.irq(lambda pin: flag.set())\nasync def main():\n    await flag.wait()")
    board.drive(4, 1)
    repl.exec("asyncio.run(asyncio.wait_for(main(), 1))")


def test_timers_fire_while_the_program_sleeps(repl: REPL) -> None:
    repl.exec("from machine import Timer; import time; n = []")
    repl.exec("t = Timer(0, period=10, callback=lambda t: n.append(1)); time.sleep_ms(65)")
    repl.exec("t.deinit(); count = len(n); time.sleep_ms(30)")
    assert repl.eval("4 <= count <= 7 and len(n) == count") is True
    repl.exec("n.clear(); Timer(-1, mode=Timer.ONE_SHOT, period=5, callback=n.append)")
    repl.exec("time.sleep_ms(30)")
    assert repl.eval("len(n)") == 1


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("Pin(99)", "ValueError: invalid pin"),
        ("Pin(30)", "ValueError: invalid pin"),
        ("Pin(34, Pin.OUT)", "ValueError: pin can only be input"),
        ("Timer(4)", "there are only 4 hardware timers"),
        ("WDT(1)", "ValueError"),
        ("WDT(timeout=0)", "ValueError: WDT timeout too short"),
        ("RTC().memory(bytes(2049))", "ValueError: buffer too long"),
    ],
)
def test_machine_refuses_as_the_port_does(repl: REPL, code: str, words: str) -> None:
    repl.exec("from machine import *")
    with pytest.raises(RemoteError, match=words):
        repl.exec(code)


def test_pins_are_singletons_and_the_chip_knows_itself(repl: REPL) -> None:
    repl.exec("import machine")
    assert repl.eval("machine.Pin(5) is machine.Pin(5)") is True
    assert repl.eval("(len(machine.unique_id()), machine.freq())") == (6, 160000000)


def test_a_part_that_the_board_lacks_is_named(board: EmulatedBoard) -> None:
    with pytest.raises(CannotDo, match="EMULATED has no 'knob'"):
        board.press("knob")


def test_a_timer_and_a_pin_describe_themselves_as_the_port_does(repl: REPL) -> None:
    repl.exec("from machine import *; t = Timer(1, period=1000, callback=print)")
    assert repl.eval("repr(t)") == "Timer(1, mode=ONE_SHOT, period=1000)"
    assert repl.eval("Timer(1) is t") is True
    assert (
        repl.eval("repr(Pin(4, Pin.IN, Pin.PULL_UP))") == "Pin(4, mode=Pin.IN, pull=Pin.PULL_UP)"
    )
    assert repl.eval("repr(Pin(4, Pin.OUT, drive=3))").startswith("Pin(4, mode=Pin.OUT, ")
