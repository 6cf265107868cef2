# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The air as a script: what a network does to whatever crosses it, message by message."""

import contextlib
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from muster_harness.air.air import AccessPoint, Air
from muster_harness.air.messages import LOST, Message
from muster_harness.errors import AirError
from muster_harness.units.emulated import EmulatedBoard
from muster_harness.wire.repl import REPL
from tests.harness.air.test_sockets import SETUP

# `talk` says something so many times and hears it back; `timed` gives milliseconds.
TALK = """
def talk(size=4, times=1):
    s = socket.socket()
    s.settimeout(0.4)
    s.connect(there)
    n = 0
    for _ in range(times):
        s.sendall(b'x' * size)
        while n < size:
            got = s.recv(size)
            if not got:
                return n
            n += len(got)
    s.close()
    return n
def timed(f, *a):
    start = time.ticks_ms()
    f(*a)
    return time.ticks_diff(time.ticks_ms(), start)
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.settimeout(0.3)
def say(*texts):
    for text in texts:
        u.sendto(text, there)
def heard():
    texts = []
    try:
        while True:
            texts.append(u.recv(100))
    except OSError:
        return texts
"""


class Echo:
    """Says everything back, over TCP and UDP on one port, and remembers what it heard."""

    def __init__(self, address: str):
        self.heard: list[bytes] = []
        outer = self

        class Stream(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with contextlib.suppress(OSError):
                    self.request.settimeout(5)
                    while data := self.request.recv(5000):
                        outer.heard.append(data)
                        self.request.sendall(data)

        class Datagram(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                data, asked = self.request
                outer.heard.append(data)
                asked.sendto(data, self.client_address)

        self._servers: list[socketserver.BaseServer] = []
        tcp = socketserver.ThreadingTCPServer((address, 0), Stream)
        tcp.daemon_threads = True
        self.port: int = tcp.server_address[1]
        self._servers = [tcp, socketserver.UDPServer((address, self.port), Datagram)]
        self._threads = [
            threading.Thread(target=s.serve_forever, kwargs={"poll_interval": 0.02})
            for s in self._servers
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        for server, thread in zip(self._servers, self._threads, strict=True):
            server.shutdown()
            thread.join()
            server.server_close()


def until(true: Callable[[], Any], within_s: float = 5.0) -> None:
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.fixture
def point(air: Air) -> AccessPoint:
    air.scan_s = air.association_s = air.failure_s = 0.01
    return air.add_access_point("home", dhcp_s=0.01)


@pytest.fixture
def echo(point: AccessPoint) -> Iterator[Echo]:
    made = Echo(point.gateway)
    yield made
    made.close()


@pytest.fixture
def joined(repl: REPL, point: AccessPoint, echo: Echo) -> REPL:
    repl.exec(SETUP + TALK + f"join('home'); there = ('{point.gateway}', {echo.port})")
    return repl


def test_latency_holds_for_connections_and_datagrams(joined: REPL, point: AccessPoint) -> None:
    point.impairment.latency_s = 0.06
    # connecting there and back, then asking there and back; a scheduler may only add to it
    assert joined.eval("timed(talk)") >= 230
    assert joined.eval("timed(lambda: (say(b'x'), u.recv(9)))") >= 115


def test_a_non_blocking_connect_waits_for_the_far_end(joined: REPL, point: AccessPoint) -> None:
    point.impairment.latency_s = 0.1
    joined.exec("s = socket.socket(); s.setblocking(False)")
    assert joined.eval("errno_of(s.connect, there)") == 119
    assert joined.eval("(errno_of(s.connect, there), errno_of(s.send, b'x'))") == (120, 11)
    joined.exec("p = select.poll(); p.register(s, select.POLLOUT)")
    assert joined.eval("[e[1] for e in p.poll(3000)]") == [4]
    assert joined.eval("(errno_of(s.connect, there), s.send(b'x'))") == (127, 1)


def test_a_connection_goes_through_a_narrow_network_in_its_time(
    joined: REPL, point: AccessPoint
) -> None:
    point.impairment.bytes_per_s = 20_000
    assert joined.eval("timed(talk, 4000)") >= 190  # 4,000 bytes


def test_loss_takes_datagrams_and_delays_connections(
    joined: REPL, point: AccessPoint, echo: Echo
) -> None:
    point.impairment.loss = 1.0
    joined.exec("say(b'1', b'2')")
    assert joined.eval("heard()") == []
    point.impairment.loss = 0.0
    assert echo.heard == []
    assert joined.eval("talk()") == 4


def test_connections_are_cut_after_so_many_bytes(joined: REPL, point: AccessPoint) -> None:
    point.impairment.cut_after_bytes = 10
    assert joined.eval("talk(4)") == 4
    assert joined.eval("errno_of(talk, 6)") == 104
    point.impairment.cut_after_bytes = None
    assert joined.eval("talk(6)") == 6


def test_connections_are_cut_now_with_a_reset_or_in_silence(
    joined: REPL, point: AccessPoint
) -> None:
    joined.exec("s = socket.socket(); s.connect(there); s.settimeout(3)")
    joined.exec("t = socket.socket(); t.connect(there)")
    until(lambda: len(point.connections) == 2)
    point.cut()
    assert joined.eval("(errno_of(s.recv, 1), errno_of(t.recv, 1))") == (104, 104)
    joined.exec("s = socket.socket(); s.connect(there); s.settimeout(0.1)")
    until(lambda: len(point.connections) == 1)
    point.cut(silently=True)
    joined.exec("s.send(b'unheard')")
    assert joined.eval("errno_of(s.recv, 1)") == 116


def test_a_board_without_power_says_nothing_to_its_peers(
    joined: REPL, board: EmulatedBoard, point: AccessPoint, echo: Echo
) -> None:
    joined.exec("s = socket.socket(); s.connect(there); s.send(b'x'); s.recv(1)")
    connection = next(iter(point.connections))
    board.power_off()
    assert connection in point.connections  # nobody has said goodbye


def test_a_datagram_is_dropped_doubled_or_late(
    joined: REPL, air: Air, point: AccessPoint, echo: Echo
) -> None:
    air.messages.drop(2)  # the first answer
    joined.exec("say(b'1')")
    assert joined.eval("heard()") == []
    air.messages.duplicate(1)
    joined.exec("say(b'2')")
    assert joined.eval("heard()") == [b"2", b"2"]
    air.messages.delay(1, 0.05)
    joined.exec("say(b'3', b'4')")
    assert joined.eval("heard()") == [b"4", b"3"]
    assert echo.heard == [b"1", b"2", b"2", b"4", b"3"]
    assert [m.way for m in air.messages.log[:3]] == ["tx", "rx", "tx"]


def test_a_turn_of_a_connection_is_dropped_doubled_or_late(
    joined: REPL, air: Air, point: AccessPoint, echo: Echo
) -> None:
    air.messages.drop(1)
    assert joined.eval("errno_of(talk)") == 116
    assert echo.heard == []
    air.messages.duplicate(1)
    assert joined.eval("talk()") == 4
    until(lambda: len(echo.heard) == 2)  # the second by a connection of its own
    air.messages.duplicate(2)
    joined.exec("s = socket.socket(); s.connect(there); s.settimeout(3); s.send(b'ab')")
    assert joined.eval("(s.recv(2), s.send(b'cd'), s.recv(2))") == (b"ab", 2, b"ab")
    assert joined.eval("s.recv(2)") == b"cd"
    air.messages.delay(1, 0.1)
    assert joined.eval("timed(talk)") >= 95


def test_a_rule_sees_every_message(joined: REPL, air: Air, point: AccessPoint) -> None:
    seen: list[Message] = []

    def lose_answers(message: Message) -> Any:
        seen.append(message)
        return LOST if message.way == "rx" else None

    air.messages.rule = lose_answers
    joined.exec("say(b'1'); heard()")
    assert joined.eval("errno_of(talk)") == 116
    assert [(m.kind, m.way) for m in seen] == [
        ("udp", "tx"),
        ("udp", "rx"),
        ("tcp", "tx"),
        ("tcp", "rx"),
    ]
    assert {(m.board, m.network, m.address) for m in seen} == {("board", b"home", point.gateway)}
    assert [m.number for m in seen] == [1, 2, 3, 4]


def test_a_visitor_reaches_each_address_of_a_network_at_one_port(air: Air) -> None:
    home = air.add_access_point("home")
    server = home.dhcp.address_of("server")
    with (
        socket.create_server((home.gateway, 8080)) as first,
        socket.create_server((server, 8080)) as second,
        air.visit("home") as phone,
    ):
        for listener, address in ((first, None), (second, server)):
            listener.settimeout(30)
            with socket.create_connection(phone.endpoint(8080, address), timeout=30):
                connection, peer = listener.accept()
                connection.close()
                assert peer[0] == phone.address
        assert phone.endpoint(8080) == phone.endpoint(8080, home.gateway)


def test_two_boards_of_one_name_are_not_mistaken_for_each_other(tmp_path: Path, air: Air) -> None:
    with EmulatedBoard(tmp_path / "1" / "board", air=air):
        with pytest.raises(AirError, match=r"a 'board' in this air already.*name="):
            EmulatedBoard(tmp_path / "2" / "board", air=air)
        EmulatedBoard(tmp_path / "2" / "board").close()  # in an air of its own
        EmulatedBoard(tmp_path / "3" / "board", air=air, name="other").close()
    EmulatedBoard(tmp_path / "4" / "board", air=air).close()


def test_two_visitors_of_one_name_are_not_mistaken_for_each_other(air: Air) -> None:
    air.add_access_point("home")
    with air.visit("home") as phone:
        with pytest.raises(AirError, match="a 'phone' in this air already"):
            air.visit("home")
        with air.visit("home", name="laptop") as laptop:
            assert phone.address != laptop.address
    with air.visit("home") as again:
        assert again.address == phone.address
