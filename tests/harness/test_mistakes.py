# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A mistake in a program is an exception there, and the board goes on."""

import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from muster_harness.air.access_point import AccessPoint
from muster_harness.air.air import Air
from muster_harness.air.dialling import Dialling
from muster_harness.control import Control, Later, Refusal
from muster_harness.errors import AirError, BoardError, RemoteError
from muster_harness.loop import Loop
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


# -- the parts, without a board


@pytest.fixture
def loop() -> Iterator[Loop]:
    made = Loop("test")
    yield made
    made.stop()


class Program:
    """The board's end of a control channel."""

    def __init__(self, loop: Loop, answer: Any) -> None:
        self._loop = loop
        self.control = loop.call(lambda: Control(loop, answer))
        self._socket = self.control.theirs.dup()
        self._socket.settimeout(30)
        self._file = self._socket.makefile("rb")

    def tell(self, line: bytes) -> None:
        self._socket.sendall(line + b"\n")

    def hear(self) -> Any:
        return json.loads(self._file.readline())

    def ask(self, line: bytes) -> Any:
        self.tell(line)
        return self.hear()

    def close(self) -> None:
        self._file.close()
        self._socket.close()
        self._loop.call(self.control.close)


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (Refusal("ValueError", "no"), ["ValueError", ["no"]]),
        (OSError(24, "Too many open files"), ["OSError", [24]]),
        (IndexError("list index"), ["TypeError", ["…take this: IndexError: list index"]]),
        (AirError("no range"), ["RuntimeError", ["…take this: AirError: no range"]]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_whatever_a_handler_raises_is_an_answer(
    loop: Loop, error: Exception, answer: list[Any]
) -> None:
    def handler(verb: str, arguments: list[Any]) -> Any:
        raise error

    program = Program(loop, handler)
    said = program.ask(b'[7, "verb"]')
    program.close()
    assert said[:2] == [7, answer[0]]
    assert str(said[2][0]).endswith(str(answer[1][0]).lstrip("…"))


def test_a_line_that_is_no_json_is_answered_by_its_number(loop: Loop) -> None:
    program = Program(loop, lambda verb, arguments: Later() if verb == "never" else verb)
    for line in (b'[7, "pin", <function irq at 0x7f>]', b'[7, "\xff"]', b"[7, nan]", b"[7, ["):
        assert program.ask(line)[:2] == [7, "TypeError"]
    assert program.ask(b'no number\n[8, "alive"]') == [8, "alive"]
    program.close()


def test_a_long_line_is_no_mistake(loop: Loop) -> None:
    program = Program(loop, lambda verb, arguments: len(arguments[0]))
    assert program.ask(b'[7, "bitstream", "%s"]' % (b"ab" * 200_000)) == [7, 400_000]
    program.close()


def test_a_program_that_does_not_listen_loses_edges_and_nothing_else(loop: Loop) -> None:
    program = Program(loop, lambda verb, arguments: verb)
    for number in range(2000):
        loop.call(lambda: program.control.event("pin", 4))  # noqa: B023 (called at once)
        if number % 100 == 0:
            loop.call(lambda n=number: program.control.event("connected", n, 0))  # type: ignore[misc]
    program.tell(b'[7, "still there"]')
    heard = [program.hear() for _ in range(20)]
    while heard[-1] != [7, "still there"]:
        heard.append(program.hear())
    program.close()
    assert [event[2] for event in heard if event[1] == "connected"] == list(range(0, 2000, 100))
    assert 0 < sum(event[1] == "pin" for event in heard) < 2000


def test_a_loop_waits_longer_than_epoll_can(loop: Loop) -> None:
    loop.call(lambda: loop.later(40 * 86400, lambda: None))
    assert loop.call(lambda: loop.call(lambda: "alive")) == "alive"
    assert loop.call(lambda: "alive") == "alive"


def test_a_loop_that_is_stopped_writes_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its descriptors may be somebody else's by then."""
    loop = Loop("test")
    loop.stop()
    written: list[int] = []
    monkeypatch.setattr("muster_harness.loop.os.write", lambda fd, data: written.append(fd))
    loop.post(lambda: None)
    loop.stop()
    assert written == []


@pytest.mark.parametrize("source", ["127.0.0.1", "192.0.2.1"])  # the latter is nobody's
def test_a_target_that_cannot_be_is_an_answer(loop: Loop, source: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = 70000 if source == "127.0.0.1" else server.getsockname()[1]
        errors: list[int] = []
        loop.call(
            lambda: Dialling(loop, source, ("127.0.0.1", port), lambda far, e: errors.append(e))
        )
        for _ in range(3):  # its answer comes in a later turn
            loop.call(lambda: None)
    assert len(errors) == 1
    assert errors[0] != 0


def test_an_access_point_without_addresses_says_so() -> None:
    with Air() as air:
        point: AccessPoint = air.add_access_point("home")
        with pytest.raises(AirError, match="no address left"):
            for number in range(251):
                point.dhcp.address_of(f"station {number}")
