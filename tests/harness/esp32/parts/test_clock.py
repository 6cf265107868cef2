# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The board's time counts as an ESP32's, and can be scaled, moved and skipped."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from muster_harness.air.air import Air
from muster_harness.errors import BoardError
from muster_harness.units.emulated import EmulatedBoard
from muster_harness.wire.repl import REPL

DAY_S = 86400


@pytest.fixture
def air() -> Iterator[Air]:
    with Air() as air:
        yield air


@pytest.fixture
def virtual(tmp_path: Path, air: Air) -> Iterator[EmulatedBoard]:
    with EmulatedBoard(tmp_path / "virtual", virtual_time=True, air=air) as board:
        yield board


@contextlib.contextmanager
def start(board: EmulatedBoard) -> Iterator[REPL]:
    board.power_on()
    board.expect(rb">>> ")
    with REPL(board.port) as repl:
        repl.exec("import asyncio, machine, time")
        yield repl


def test_ticks_count_from_the_chips_start_and_go_on_over_a_soft_reset(
    board: EmulatedBoard,
) -> None:
    with REPL(board.port) as repl:
        first = repl.eval("__import__('time').ticks_ms()")
    with REPL(board.port, soft_reset=True) as repl:
        second = repl.eval("__import__('time').ticks_ms()")
    assert 0 < first <= second < 20_000
    assert board.clock.ticks_ms() >= second
    board.reset()
    board.expect(rb"rst:0x1 .*>>> ")
    assert board.clock.ticks_ms() < first + 10_000


def test_a_press_takes_the_boards_time_and_nothing_is_skipped_meanwhile(
    virtual: EmulatedBoard,
) -> None:
    with start(virtual) as repl:
        repl.exec("pin = machine.Pin(0, machine.Pin.IN, machine.Pin.PULL_UP)")
        virtual.clock.skip_idle()
        press = threading.Thread(target=virtual.press, kwargs={"ms": DAY_S * 1000}, daemon=True)
        began = virtual.clock.time()
        press.start()
        repl.exec("while pin.value(): time.sleep_ms(20)")
        repl.exec("for _ in range(10): time.sleep_ms(20)")
        assert virtual.clock.time() - began < DAY_S / 2
        assert repl.eval("pin.value()") == 0
        virtual.clock.jump(DAY_S)
        press.join(60)
        assert not press.is_alive()
        assert repl.eval("pin.value()") == 1
        repl.exec("time.sleep(3600)")  # skipped again
    assert virtual.clock.time() - began > DAY_S + 3600


def test_an_ordinary_board_keeps_the_hosts_time(board: EmulatedBoard) -> None:
    with pytest.raises(BoardError, match="virtual_time=True"):
        board.clock.jump(60)
    assert abs(board.clock.time() - time.time()) < 1


@pytest.mark.parametrize("virtual_time", [False, True])
def test_asyncio_and_ticks_go_over_the_wrap(tmp_path: Path, virtual_time: bool) -> None:
    with EmulatedBoard(tmp_path / "wrap", virtual_time=virtual_time) as board:
        board.clock.start_ticks(2**30 - 1500)
        with start(board) as repl:
            assert repl.eval("time.ticks_ms() > 2**29") is True
            repl.exec(
                "async def work(ms):\n"
                "    for i in range(1600 // ms):\n"
                "        await asyncio.sleep_ms(ms)\n"
                "        seen.append(ms)\n"
                "async def both():\n"
                "    before = time.ticks_ms()\n"
                "    await asyncio.gather(work(10), work(50))\n"
                "    return time.ticks_diff(time.ticks_ms(), before)\n"
                "seen = []; took = asyncio.run(both())",
                timeout_s=60,
            )
            assert repl.eval("1600 <= took < 30000") is True
            assert repl.eval("time.ticks_ms() < 2**29") is True
            assert repl.eval("(seen.count(10), seen.count(50))") == (160, 32)


def test_an_interval_of_half_the_period_is_refused(repl: REPL) -> None:
    repl.exec("import asyncio, time")
    assert repl.eval("time.ticks_diff(time.ticks_add(2**30 - 1, 3), 2**30 - 1)") == 3
    for code in ("time.ticks_add(0, 2**29)", "asyncio.run(asyncio.sleep(7 * 86400))"):
        with pytest.raises(Exception, match="OverflowError: ticks interval overflow"):
            repl.exec(code)


def test_a_scaled_clock_carries_sleeps_dates_and_the_watchdog(virtual: EmulatedBoard) -> None:
    with start(virtual) as repl:
        virtual.clock.scale(1000)
        began, real = virtual.clock.time(), time.monotonic()
        repl.exec("async def nap(): await asyncio.sleep(100)")
        repl.exec("a = time.time(); time.sleep(100); asyncio.run(nap()); b = time.time()")
        assert time.monotonic() - real < 20
        assert repl.eval("b - a") >= 200
        assert virtual.clock.time() - began >= 200
        repl.exec("machine.WDT(timeout=3_000_000)")
    virtual.expect(rb"mpy_machine_wdt.*SW_CPU_RESET.*>>> ")


def test_no_sleep_that_interrupts_wake_is_shorter_than_it_was_told(board: EmulatedBoard) -> None:
    board.exec("import time; from machine import Pin; p = Pin(4); p.irq(lambda pin: None)")
    is_over = threading.Event()

    def press() -> None:
        while not is_over.wait(0.0037):
            board.drive(4, 1)
            board.drive(4, 0)

    pressing = threading.Thread(target=press)
    pressing.start()
    try:
        said = board.exec(
            "short = 0\n"
            "for n in range(40):\n"
            "    time.sleep_us(n * 23)\n"  # at any moment of a millisecond
            "    began = time.ticks_us()\n"
            "    time.sleep_ms(20)\n"
            "    short += time.ticks_diff(time.ticks_us(), began) < 20000\n"
            "print(short)"
        )
    finally:
        is_over.set()
        pressing.join()
    assert said == "0\n"


def test_a_jump_ends_what_waits_and_moves_the_date(virtual: EmulatedBoard) -> None:
    with start(virtual) as repl:
        repl.exec("fired = []; machine.Timer(0, period=60000, callback=lambda t: fired.append(1))")
        before = repl.eval("(time.ticks_ms(), time.time())")
        virtual.clock.jump(3600)
        repl.exec("time.sleep_ms(1)")
        after = repl.eval("(time.ticks_ms(), time.time(), fired)")
        assert 3600 <= after[1] - before[1] < 3660 and after[0] - before[0] >= 3_600_000
        assert after[2] == [1]
        threading.Timer(0.1, lambda: virtual.clock.jump(-1800)).start()
        repl.exec("t = time.ticks_ms()\nwhile time.ticks_diff(time.ticks_ms(), t) >= 0: pass")


def test_days_of_waiting_pass_at_once(virtual: EmulatedBoard) -> None:
    with start(virtual) as repl:
        virtual.clock.skip_idle()
        real = time.monotonic()
        repl.exec("dog = machine.WDT(timeout=60000); fed = []")
        repl.exec("def feed(timer):\n    dog.feed()\n    fed.append(1)")
        repl.exec("timer = machine.Timer(0, period=30000, callback=feed)")
        repl.exec(
            "async def day():\n"
            "    event = asyncio.Event()\n"
            "    for _ in range(24):\n"
            "        try:\n"
            "            await asyncio.wait_for(event.wait(), 3600)\n"
            "        except asyncio.TimeoutError:\n"
            "            pass\n"
            "began = time.time(); asyncio.run(day()); took = time.time() - began",
            timeout_s=30,
        )
        assert time.monotonic() - real < 30
        assert DAY_S <= repl.eval("took") < DAY_S + 60
        assert repl.eval("len(fed)") in (2880, 2881)
        repl.exec("timer.deinit()")
    virtual.write(b"time.sleep(100000)\r")
    virtual.expect(rb"mpy_machine_wdt.*SW_CPU_RESET.*>>> ")  # nobody feeds any more


def test_deep_sleep_is_skipped_too(virtual: EmulatedBoard) -> None:
    with start(virtual):
        virtual.clock.skip_idle()
    began = virtual.clock.time()
    virtual.write(b"machine.deepsleep(86400000)\r")
    virtual.expect(rb"DEEPSLEEP_RESET.*>>> ")
    assert DAY_S <= virtual.clock.time() - began < DAY_S + 60


def test_late_skips_are_as_long_as_asked(virtual: EmulatedBoard) -> None:
    with start(virtual) as repl:
        virtual.clock.skip_idle(shortest_s=10)
        repl.exec("began = time.time()\nfor _ in range(100): time.sleep_ms(20)")
        assert 1000 <= repl.eval("time.time() - began") < 1060


def test_skipping_waits_for_whoever_is_asked(virtual: EmulatedBoard, air: Air) -> None:
    """Joining is skipped; an answer that takes 50 ms of the host's time is not skipped."""
    point = air.add_access_point("N", dhcp_s=30)
    air.association_s = 10
    with socket.create_server((point.gateway, 0)) as server, start(virtual) as repl:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(10)
                time.sleep(0.05)
                connection.send(b"answer")

        thread = threading.Thread(target=answer)
        thread.start()
        virtual.clock.skip_idle()
        real = time.monotonic()
        repl.exec(
            "import network\n"
            "w = network.WLAN(); w.active(True); w.connect('N'); began = time.time()\n"
            "while not w.isconnected(): time.sleep_ms(100)\n"
            "joined = time.time() - began\n"
            "async def ask():\n"
            f"    r, w = await asyncio.open_connection(*{server.getsockname()!r})\n"
            "    w.write(b'question'); await w.drain()\n"
            "    return await asyncio.wait_for(r.read(10), 5)\n"
            "answer = asyncio.run(ask())",
            timeout_s=30,
        )
        thread.join()
        assert repl.eval("joined >= 40 and answer") == b"answer"
        assert time.monotonic() - real < 20


def test_a_closed_connection_ends_no_other_wait(virtual: EmulatedBoard, air: Air) -> None:
    """A datagram's answer, and a guest's words, are waited for on."""
    point = air.add_access_point("N")
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as name_server,
        socket.create_server((point.gateway, 0)) as server,
        start(virtual) as repl,
    ):
        name_server.bind((point.gateway, 0))

        def answer() -> None:
            _, peer = name_server.recvfrom(10)
            time.sleep(0.1)
            name_server.sendto(b"answer", peer)

        thread = threading.Thread(target=answer)
        thread.start()
        virtual.clock.skip_idle()
        repl.exec(
            "import network, socket\n"
            "w = network.WLAN(); w.active(True); w.connect('N')\n"
            "while not w.isconnected(): time.sleep_ms(100)\n"
            "u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.settimeout(2)\n"
            f"u.sendto(b'question', {name_server.getsockname()!r})\n"
            f"t = socket.socket(); t.connect({server.getsockname()!r}); t.close()\n"
            "answer = u.recv(10); u.close()\n",
            timeout_s=30,
        )
        thread.join()
        assert repl.eval("answer") == b"answer"


def test_what_the_hardware_takes_is_skipped_too(virtual: EmulatedBoard, air: Air) -> None:
    """A scan and a light sleep, in which the program asks and waits for the answer."""
    air.scan_s = 600
    with start(virtual) as repl:
        virtual.clock.skip_idle()
        real, began = time.monotonic(), virtual.clock.time()
        repl.exec("import network; w = network.WLAN(); w.active(True); w.scan()")
        repl.exec("machine.lightsleep(600_000)")
        assert virtual.clock.time() - began >= 1200
        assert time.monotonic() - real < 20
