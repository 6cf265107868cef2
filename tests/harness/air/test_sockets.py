# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A board's sockets look like lwIP's and reach nothing but the network it has joined."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from muster_harness.air.air import AccessPoint, Air
from muster_harness.errors import RemoteError
from muster_harness.units.emulated import EmulatedBoard
from muster_harness.wire.repl import REPL

SETUP = """
import asyncio, errno, network, select, socket, time
w = network.WLAN()
w.active(True)
def join(name):
    w.connect(name)
    while not w.isconnected():
        time.sleep_ms(2)
def errno_of(f, *a):
    try:
        return f(*a)
    except OSError as e:
        return e.errno
"""


class EchoServer:
    """Answers each TCP connection's first bytes with "echo " and the same; keeps it open."""

    def __init__(self, address: str):
        self._listener = socket.create_server((address, 0))
        self.port: int = self._listener.getsockname()[1]
        self.peers: list[str] = []
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            with contextlib.suppress(OSError):
                connection, peer = self._listener.accept()
                if self._listener.fileno() < 0 or peer[0] == "127.0.0.1":
                    connection.close()
                    return
                self._open.append(connection)
                self.peers.append(peer[0])
                connection.settimeout(0.2)
                if data := connection.recv(1000):
                    connection.sendall(b"echo " + data)

    def send(self, data: bytes) -> None:
        self._open[-1].sendall(data)

    def hang_up(self) -> None:
        self._open[-1].close()

    def close(self) -> None:
        # wakes accept(); closing alone would not
        own = self._listener.getsockname()
        socket.create_connection(own, source_address=("127.0.0.1", 0)).close()
        self._thread.join()
        self._listener.close()
        for connection in self._open:
            connection.close()


@pytest.fixture
def point(air: Air) -> AccessPoint:
    air.scan_s = air.association_s = 0.01
    return air.add_access_point("home", dhcp_s=0.01)


@pytest.fixture
def server(point: AccessPoint) -> Iterator[EchoServer]:
    made = EchoServer(point.gateway)
    yield made
    made.close()


@pytest.fixture
def joined(repl: REPL, point: AccessPoint) -> REPL:
    repl.exec(SETUP + "join('home')")
    return repl


def test_a_connection_comes_from_the_leased_address(
    joined: REPL, server: EchoServer, point: AccessPoint
) -> None:
    joined.exec(f"s = socket.socket(); s.connect(('{point.gateway}', {server.port}))")
    assert joined.eval("(s.send(b'hi'), s.recv(100))") == (2, b"echo hi")
    assert server.peers == [point.network.replace("0/24", "2")]


def test_getaddrinfo_gives_tuples_that_connect_takes(
    joined: REPL, server: EchoServer, point: AccessPoint
) -> None:
    joined.exec(f"a = socket.getaddrinfo('{point.gateway}', {server.port})[0]")
    assert joined.eval("a[-1]") == (point.gateway, server.port)
    joined.exec("s = socket.socket(*a[:3]); s.connect(a[-1])")


@pytest.mark.parametrize("address", ["10.1.2.3", "127.1.1.1"])
def test_other_networks_are_unreachable(joined: REPL, address: str) -> None:
    assert joined.eval(f"errno_of(socket.socket().connect, ('{address}', 80))") == 118
    udp = "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)"
    assert joined.eval(f"errno_of({udp}.sendto, b'x', ('{address}', 80))") == 118


def test_without_a_network_nothing_is_reachable(repl: REPL, server: EchoServer) -> None:
    repl.exec(SETUP)
    assert repl.eval(f"errno_of(socket.socket().connect, ('127.1.1.1', {server.port}))") == 118
    assert repl.eval("errno_of(socket.getaddrinfo, 'name.example', 80)") == -202


def test_127_0_0_1_is_the_board_itself(repl: REPL, server: EchoServer) -> None:
    repl.exec(SETUP)
    assert repl.eval(f"errno_of(socket.socket().connect, ('127.0.0.1', {server.port}))") == 111
    said = repl.exec("""
server, client = socket.socket(), socket.socket()
server.bind(("0.0.0.0", 80))
server.listen(1)
client.connect(("127.0.0.1", 80))
peer, address = server.accept()
client.sendall(b"to itself")
print(peer.recv(9), address[0])
one, other = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
one.bind(("127.0.0.1", 7000))
other.sendto(b"datagram", ("127.0.0.1", 7000))
print(one.recvfrom(3, socket.MSG_PEEK)[0], one.recvfrom(20)[0])
""")
    assert said == "b'to itself' 127.0.0.1\nb'dat' b'datagram'\n"


def test_one_access_points_range_is_closed_to_the_others_stations(joined: REPL, air: Air) -> None:
    other = air.add_access_point("other")
    server = EchoServer(other.gateway)
    try:
        target = f"('{other.gateway}', {server.port})"
        assert joined.eval(f"errno_of(socket.socket().connect, {target})") == 118
        joined.exec("w.disconnect(); join('other')")
        assert joined.eval(f"errno_of(socket.socket().connect, {target})") is None
    finally:
        server.close()


def test_refused_timed_out_and_would_block_have_newlib_numbers(
    joined: REPL, server: EchoServer, point: AccessPoint
) -> None:
    with socket.socket() as unused:
        unused.bind((point.gateway, 0))
        free = unused.getsockname()[1]
    target = f"('{point.gateway}', {server.port})"
    assert joined.eval(f"errno_of(socket.socket().connect, ('{point.gateway}', {free}))") == 111
    joined.exec(f"s = socket.socket(); s.settimeout(0.1); s.connect({target})")
    assert joined.eval("(errno_of(s.recv, 1), errno.ETIMEDOUT)") == (116, 116)
    joined.exec("s.setblocking(False)")
    assert joined.eval("(errno_of(s.recv, 1), s.read(1))") == (11, None)
    joined.exec("n = socket.socket(); n.setblocking(False)")
    assert joined.eval(f"(errno_of(n.connect, {target}), errno.EINPROGRESS)") == (119, 119)
    assert joined.eval("errno_of(socket.socket().recv, 1)") == 128


def test_leaving_cuts_an_established_connection_off_in_silence(
    joined: REPL, server: EchoServer, point: AccessPoint
) -> None:
    joined.exec(f"s = socket.socket(); s.connect(('{point.gateway}', {server.port}))")
    joined.exec("s.send(b'x'); s.recv(10); s.settimeout(0.1); w.disconnect()")
    server.send(b"unheard")
    server.hang_up()
    assert joined.eval("errno_of(s.recv, 1)") == 116
    joined.exec("p = select.poll(); p.register(s, select.POLLIN)")
    assert joined.eval("p.poll(20)") == []
    assert joined.eval("(s.write(b'into the void'), s.close())") == (13, None)


def test_a_vanished_access_point_cuts_off_in_the_middle_of_a_wait(
    joined: REPL, server: EchoServer, point: AccessPoint
) -> None:
    joined.exec(f"s = socket.socket(); s.connect(('{point.gateway}', {server.port}))")
    joined.exec("s.send(b'x'); s.recv(10); s.settimeout(0.3)")

    def vanish_and_send() -> None:
        point.remove()
        server.send(b"unheard")

    cut = threading.Timer(0.05, vanish_and_send)
    cut.start()
    try:
        assert joined.eval("errno_of(s.recv, 100)") == 116
    finally:
        cut.join()


def test_asyncio_connects_and_streams(
    joined: REPL, server: EchoServer, point: AccessPoint
) -> None:
    joined.exec(
        f"""
async def main():
    r, w = await asyncio.open_connection('{point.gateway}', {server.port})
    w.write(b'x' * 600)
    await w.drain()
    got = await r.readexactly(605)
    w.close()
    await w.wait_closed()
    return got
got = asyncio.run(main())
"""
    )
    assert joined.eval("got == b'echo ' + b'x' * 600") is True


def test_asyncio_serves_its_own_network_only(
    board: EmulatedBoard, repl: REPL, point: AccessPoint
) -> None:
    repl.exec(SETUP + "join('home')")
    address = point.network.replace("0/24", "2")

    def ask(source: str, replies: list[bytes]) -> None:
        with (
            contextlib.suppress(OSError),
            socket.create_connection((address, 20080), 2, source_address=(source, 0)) as s,
        ):
            s.sendall(b"ping")
            replies.append(s.recv(100))

    inside: list[bytes] = []
    outside: list[bytes] = []
    askers = [
        threading.Timer(0.1, ask, (point.gateway, inside)),
        threading.Timer(0.1, ask, ("127.0.0.1", outside)),
    ]
    for asker in askers:
        asker.start()
    repl.exec(
        """
async def serve(r, w):
    w.write(b'pong ' + await r.read(10))
    await w.drain()
    w.close()
    await w.wait_closed()
async def main():
    server = await asyncio.start_server(serve, '0.0.0.0', 80)
    await asyncio.sleep(0.4)
    server.close()
asyncio.run(main())
"""
    )
    for asker in askers:
        asker.join()
    assert (inside, outside in ([], [b""])) == ([b"pong ping"], True)


def test_datagrams_show_their_sender_and_strangers_are_dropped(
    joined: REPL, point: AccessPoint
) -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as inside,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outside,
    ):
        inside.bind((point.gateway, 0))
        inside.settimeout(2)
        port = inside.getsockname()[1]
        joined.exec("u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.settimeout(0.2)")
        assert joined.eval(f"u.sendto(b'hello', ('{point.gateway}', {port}))") == 5
        data, board_address = inside.recvfrom(100)
        outside.sendto(b"stranger", board_address)
        inside.sendto(b"answer", board_address)
        assert joined.eval("u.recvfrom(100)") == (b"answer", (point.gateway, port))
        assert joined.eval("errno_of(u.recvfrom, 100)") == 116
    assert (data, board_address[0]) == (b"hello", point.network.replace("0/24", "2"))


def test_a_datagram_socket_works_in_the_next_network_too(joined: REPL, air: Air) -> None:
    other = air.add_access_point("other", dhcp_s=0.01)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((other.gateway, 0))
        server.settimeout(2)
        joined.exec("u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind(('', 5000))")
        joined.exec("w.disconnect(); join('other')")
        joined.exec(f"u.sendto(b'x', ('{other.gateway}', {server.getsockname()[1]}))")
        assert server.recvfrom(10) == (b"x", (other.network.replace("0/24", "2"), 5000))


def test_behind_a_silent_router_nobody_answers(joined: REPL, point: AccessPoint) -> None:
    point.beyond_is_silent = True
    joined.exec("s = socket.socket(); s.settimeout(0.2)")
    assert joined.eval("errno_of(s.connect, ('1.1.1.1', 80))") == 116
    joined.exec("s = socket.socket(); s.setblocking(False)")
    assert joined.eval("errno_of(s.connect, ('1.1.1.1', 80))") == 119
    assert joined.eval("errno_of(s.send, b'x')") == 11
    joined.exec("u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)")
    assert joined.eval("u.sendto(b'x', ('1.1.1.1', 53))") == 1
    point.beyond_is_silent = False
    assert joined.eval("errno_of(u.sendto, b'x', ('1.1.1.1', 53))") == 118


def test_the_ports_own_ways_with_sockets(
    joined: REPL, server: EchoServer, point: AccessPoint
) -> None:
    # ports/esp32/modsocket.c: what differs from CPython and from the unix port
    joined.exec(f"s = socket.socket(); s.connect(('{point.gateway}', {server.port}))")
    joined.exec("s.settimeout(0.05)")
    assert joined.eval("errno_of(s.recv, 1)") == 11  # shorter than its step of 100 ms
    assert joined.eval("errno_of(socket.socket().connect, ('1.2.3.4', 1))") == 118
    assert joined.eval("errno_of(s.connect, ('1.2.3.4', 1))") == 127  # api_msg.c: it has one
    assert joined.eval(f"errno_of(s.connect, ('{point.gateway}', 1))") == 127
    anywhere = "0.0.0.0"  # noqa: S104 (what a board says)
    assert joined.eval("socket.getaddrinfo('', '80')[0][3:]") == (anywhere, (anywhere, 80))
    udp = "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)"
    with pytest.raises(RemoteError, match="ValueError: invalid arguments"):
        joined.exec(f"{udp}.sendto(b'x', ('platform.example', 1))")
    joined.exec("p = select.poll(); new = socket.socket(); p.register(new, select.POLLOUT)")
    assert joined.eval("[e[1] for e in p.poll(0)]") == [20]  # writable and hung up
    joined.exec("new.setsockopt(socket.SOL_SOCKET, 9, 1)")


def test_a_blocking_send_takes_all_and_a_full_peer_times_out(
    joined: REPL, point: AccessPoint
) -> None:
    with socket.create_server((point.gateway, 0)) as listener:
        target = (point.gateway, listener.getsockname()[1])
        joined.exec(f"s = socket.socket(); s.connect({target}); s.settimeout(0.2)")
        peer, _ = listener.accept()
        with peer:
            assert joined.eval("s.send(bytes(70000))") == 70000
            joined.exec("n = None\nwhile n is None: n = errno_of(s.sendall, bytes(60000))")
            assert joined.eval("n") == 116  # nobody reads, and the buffers are full


def test_a_refused_connection_is_readable_writable_and_tells_why(
    joined: REPL, point: AccessPoint
) -> None:
    with socket.socket() as unused:
        unused.bind((point.gateway, 0))
        target = (point.gateway, unused.getsockname()[1])
    joined.exec("s = socket.socket(); s.setblocking(False)")
    assert joined.eval(f"errno_of(s.connect, {target})") == 119
    joined.exec("p = select.poll(); p.register(s, select.POLLIN | select.POLLOUT)")
    assert joined.eval("[e[1] for e in p.poll(2000)]") == [5]
    assert joined.eval("(errno_of(s.send, b'x'), errno_of(s.recv, 1))") == (111, 111)


def test_the_trace_tells_connections_with_their_bytes(
    joined: REPL, server: EchoServer, point: AccessPoint, air: Air
) -> None:
    joined.exec(f"s = socket.socket(); s.connect(('{point.gateway}', {server.port}))")
    joined.exec("s.send(b'hi'); s.recv(100); s.close()")
    connect = air.traced("connect")[0]
    assert connect.details["address"] == point.gateway
    # The count comes with the close, which nobody waits for.
    deadline = time.monotonic() + 5
    while not air.traced("bytes") and time.monotonic() < deadline:
        time.sleep(0.01)
    counted = air.traced("bytes")[-1].details
    assert counted == {"connection": connect.details["connection"], "tx": 2, "rx": 7}


def test_a_connection_can_be_led_elsewhere(
    joined: REPL, server: EchoServer, point: AccessPoint, air: Air
) -> None:
    air.on_connect = lambda board, address, port: (point.gateway, server.port)
    joined.exec(f"s = socket.socket(); s.connect(('{point.gateway}', 1))")
    assert joined.eval("(s.send(b'hi'), s.recv(100))") == (2, b"echo hi")


def test_two_boards_share_a_network_and_see_each_other(
    joined: REPL, point: AccessPoint, air: Air, tmp_path: Path
) -> None:
    joined.exec("u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind(('', 7000))")
    with EmulatedBoard(tmp_path / "second", air=air) as second:
        second.power_on()
        second.expect(rb">>> ")
        with REPL(second.port) as other:
            other.exec(SETUP + "join('home')")
            other.exec("u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)")
            address = joined.eval("w.ifconfig()[0]")
            assert other.eval(f"u.sendto(b'hello', ('{address}', 7000))") == 5
            assert other.eval("w.ifconfig()[0]") != address
            assert joined.eval("u.recvfrom(10)[0]") == b"hello"
