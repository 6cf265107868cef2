# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A mistake in a program is an exception there, and the board goes on."""

import time

import pytest

from muster_harness.air.air import Air
from muster_harness.errors import BoardError, RemoteError
from muster_harness.units.emulated import EmulatedBoard
from muster_harness.wire.repl import REPL

MONTH_MS = 30 * 86400 * 1000
SET_UP = """
import machine, network, esp32, socket
from machine import Pin
pin = Pin(4)
wlan = network.WLAN()
class Prints:
    def __repr__(self):
        return "[1, 2]\\n[3, 4]"
def attempt(function, *args, **kwargs):
    try:
        return function(*args, **kwargs)
    except Exception as e:
        return type(e).__name__
def irq(p): pass
"""
MISTAKES = [
    ("pin.irq, Pin.IRQ_RISING, irq", "TypeError"),
    ("pin.irq, irq, 'rising'", "TypeError"),
    ("pin.init, Pin.IN, 'up'", "TypeError"),
    ("Pin, lambda: 0", "ValueError"),
    ("Pin, Prints()", "ValueError"),
    ("wlan.config, txpower=float('nan')", "TypeError"),
    ("wlan.config, pm='none'", "TypeError"),
    ("wlan.config, reconnects='forever'", "TypeError"),
    ("wlan.config, reconnects=2**31", "OverflowError"),
    ("network.hostname, b'\\xff'", "UnicodeError"),
    ("esp32.NVS, b'\\xff\\xfe'", "UnicodeError"),
    ("machine.deepsleep, 'long'", "TypeError"),
    (f"machine.deepsleep, {MONTH_MS}", "OverflowError"),
    (f"machine.lightsleep, {MONTH_MS}", "OverflowError"),
    (f"machine.WDT, timeout={MONTH_MS}", "OverflowError"),
    ("machine.WDT, timeout=10**400", "OverflowError"),
    ("socket.getaddrinfo, '127.0.0.1', 70000", "OSError"),
    ("socket.socket().connect, ('127.0.0.1', 70000)", "OSError"),
    ("socket.socket().bind, ('', -1)", "OSError"),
]


def test_each_is_an_exception_and_the_board_goes_on(repl: REPL) -> None:
    repl.exec(SET_UP)
    calls = ", ".join(f"attempt({call})" for call, _ in MISTAKES)
    assert repl.eval(f"[{calls}]") == [kind for _, kind in MISTAKES]
    assert repl.eval("pin.value()") == 0


def test_a_full_network_gives_no_address_and_harms_nobody(repl: REPL, air: Air) -> None:
    home = air.add_access_point("home")
    for number in range(250):
        home.dhcp.address_of(f"station {number}")
    repl.exec("import network; w = network.WLAN(); w.active(True); w.connect('home')")
    deadline = time.monotonic() + 30
    while not air.traced("no address") and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(air.traced("no address")) == 1
    assert repl.eval("w.isconnected()") is False


def test_a_mistake_in_a_hook_of_the_test_stands_in_the_log(
    board: EmulatedBoard, repl: REPL, air: Air
) -> None:
    def hook(name: str, address: str, port: int) -> None:
        raise AssertionError("nobody was to connect")

    home, air.on_connect = air.add_access_point("home"), hook
    repl.exec("import network; w = network.WLAN(); w.active(True); w.connect('home')")
    repl.exec("import time\nwhile not w.isconnected(): time.sleep_ms(5)")
    with pytest.raises(RemoteError, match="TypeError: .*nobody was to connect"):
        repl.exec(f"import socket; socket.socket().connect(('{home.gateway}', 8080))")
    assert "connect cannot be answered: AssertionError: nobody" in board.log_path.read_text()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_what_a_board_has_died_of_is_told_by_the_next_exec(board: EmulatedBoard) -> None:
    with board.repl() as repl:
        board._loop.post(lambda: 1 / 0)  # type: ignore[arg-type]
        with pytest.raises(BoardError, match="stopped working.*\n(.*\n)*.*ZeroDivisionError"):
            repl.exec("1", timeout_s=0.5)
    with pytest.raises(BoardError, match="ZeroDivisionError"):
        board.exec("1", timeout_s=0.5)
