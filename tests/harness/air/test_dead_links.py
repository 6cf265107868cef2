# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A link that looks alive and carries nothing, what ends it, and what the air does not carry."""

import socket
from collections.abc import Iterator

import pytest

from muster_harness.air.air import AccessPoint, Air
from muster_harness.errors import AirError
from muster_harness.units.emulated import EmulatedBoard
from muster_harness.wire.repl import REPL
from tests.harness.air.on_board import SOCKETS

HELPERS = """
def is_answered(port):
    s = socket.socket()
    s.settimeout(0.5)
    try:
        s.connect((host, port))
        s.close()
        return True
    except OSError as e:
        s.close()
        return e.errno
def again():
    w.disconnect()
    w.connect("home")
    while not w.isconnected():
        time.sleep_ms(2)
"""


@pytest.fixture
def point(air: Air) -> AccessPoint:
    air.scan_s = air.association_s = air.failure_s = 0.01
    made = air.add_access_point("home", dhcp_s=0.01)
    made.dns.patience_s = 0.1
    made.names["a.example"] = made.gateway
    return made


@pytest.fixture
def port(point: AccessPoint) -> Iterator[int]:
    with socket.create_server((point.gateway, 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def joined(repl: REPL, point: AccessPoint) -> REPL:
    repl.exec(SOCKETS + HELPERS + f"join('home'); host = {point.gateway!r}")
    return repl


def test_a_dead_link_is_connected_and_silent_until_the_next_association(
    joined: REPL, point: AccessPoint, board: EmulatedBoard, port: int
) -> None:
    assert joined.eval(f"is_answered({port})") is True
    assert point.go_dead() == (board.name,)
    assert joined.eval(f"(is_answered({port}), w.isconnected(), w.status())") == (116, True, 1010)
    assert joined.eval("errno_of(lambda: socket.getaddrinfo('a.example', 1))") == -202
    assert joined.eval("w.ifconfig()[0]").startswith(point.addresses.prefix)
    joined.exec("again()")
    assert joined.eval(f"is_answered({port})") is True


def test_until_the_radio_was_off(joined: REPL, point: AccessPoint, port: int) -> None:
    point.go_dead(until="radio")
    joined.exec("again()")
    assert joined.eval(f"is_answered({port})") == 116
    joined.exec("w.active(False); w.active(True); again()")
    assert joined.eval(f"is_answered({port})") is True


def test_until_the_chip_has_restarted(point: AccessPoint, board: EmulatedBoard, port: int) -> None:
    script = SOCKETS + HELPERS + f"host = {point.gateway!r}\n"
    with board.repl() as repl:
        repl.exec(script + "join('home')")
        point.go_dead(until="restart")
        repl.exec("w.active(False); w.active(True); again()")
        assert repl.eval(f"is_answered({port})") == 116
    board.forget_output()
    board.reset()
    board.expect(rb">>> ")
    with board.repl() as repl:
        repl.exec(script + "join('home')")
        assert repl.eval(f"is_answered({port})") is True


def test_the_router_may_still_answer(joined: REPL, point: AccessPoint, port: int) -> None:
    point.go_dead(until=None, gateway_answers=True)
    assert joined.eval("socket.getaddrinfo('a.example', 1)[0][-1][0]") == point.gateway
    assert joined.eval("(is_answered(53), is_answered(80))") == (111, 111)
    assert joined.eval(f"is_answered({port})") == 116
    joined.exec("again()")
    assert joined.eval(f"is_answered({port})") == 116
    point.revive()
    assert joined.eval(f"is_answered({port})") is True


def test_an_open_connection_holds_its_bytes_until_the_link_lives(
    joined: REPL, point: AccessPoint
) -> None:
    with socket.create_server((point.gateway, 0)) as server:
        joined.exec(f"s = socket.socket(); s.connect((host, {server.getsockname()[1]}))")
        there, _ = server.accept()
        with there:
            there.settimeout(0.3)
            point.go_dead(until=None)
            joined.exec("s.send(b'late')")
            with pytest.raises(TimeoutError):
                there.recv(10)
            point.revive()
            there.settimeout(5)
            assert there.recv(10) == b"late"


def test_datagrams_die_too(joined: REPL, point: AccessPoint) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((point.gateway, 0))
        server.settimeout(0.2)
        point.go_dead()
        joined.exec("u = socket.socket(2, 2)")
        joined.exec(f"u.sendto(b'lost', (host, {server.getsockname()[1]}))")
        with pytest.raises(TimeoutError):
            server.recv(10)


def test_one_board_is_struck_and_nobody_who_is_away(
    joined: REPL, point: AccessPoint, board: EmulatedBoard
) -> None:
    assert point.go_dead(board="somebody else") == ()
    assert point.go_dead(board=board.name) == (board.name,)
    point.revive(board.name)
    joined.exec("w.disconnect()")
    assert point.go_dead() == ()
    with pytest.raises(AirError, match="association, radio, restart"):
        point.go_dead(until="tomorrow")  # type: ignore[arg-type]


def test_isolated_stations_reach_the_gateway_only(
    joined: REPL, point: AccessPoint, air: Air, port: int
) -> None:
    with (
        air.visit("home", name="laptop") as laptop,
        socket.create_server((laptop.address, 0)) as server,
    ):
        there = f"s = socket.socket(); s.settimeout(0.5); s.connect(({laptop.address!r}, %d))"
        joined.exec(there % server.getsockname()[1])
        point.isolates = True
        assert joined.eval(f"is_answered({port})") is True
        joined.exec("def again():\n    " + there % server.getsockname()[1])
        assert joined.eval("errno_of(again)") == 116


def test_a_share_of_what_goes_to_the_group_is_lost(joined: REPL, point: AccessPoint) -> None:
    point.multicast_loss = 1.0
    assert not point.carries_group("anybody")
    point.multicast_loss = 0.0
    assert point.carries_group("anybody")
    with pytest.raises(AirError, match="0 to 1"):
        point.multicast_loss = 7
