# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A board judges certificates by its own clock, authority and name, in mbedTLS's own words."""

import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from muster_harness.air.air import AccessPoint, Air
from muster_harness.units.emulated import EmulatedBoard
from muster_harness.wire.repl import REPL
from tests.certificates import Authority

# What the programs below share: joined, and a word through TLS to the server on the gateway.
ON_BOARD = """
import machine, network, socket, ssl, time
def clock(*t): machine.RTC().datetime(t[:3] + (0,) + t[3:] + (0,))
wlan = network.WLAN()
wlan.active(True); wlan.connect('net')
while not wlan.isconnected(): time.sleep_ms(5)
gateway = wlan.ifconfig()[2]
def talk(port, ca, name, mode=ssl.CERT_REQUIRED):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_mode = mode
    if ca: context.load_verify_locations(cadata=ca)
    s = socket.socket()
    s.connect((gateway, port))
    try:
        wrapped = context.wrap_socket(s, server_hostname=name)
        wrapped.write(b'x')
        return wrapped.read(1).decode()
    except ValueError as e:
        return str(e).strip()
    finally:
        s.close()
"""


@pytest.fixture
def net(air: Air) -> AccessPoint:
    return air.add_access_point("net")


@pytest.fixture
def authority() -> Authority:
    return Authority()


@pytest.fixture
def port(net: AccessPoint, authority: Authority, tmp_path: Path) -> Iterator[int]:
    """An echo behind TLS as "m2m.example", with a certificate good for a day around now."""
    now = datetime.now(UTC)
    chain, key = authority.issue(
        tmp_path, "m2m.example", now - timedelta(days=1), now + timedelta(days=1)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    listener = socket.create_server((net.gateway, 0))

    def serve() -> None:
        while True:
            try:
                stream, _ = listener.accept()
            except OSError:
                return
            with stream:
                stream.settimeout(5)
                try:
                    with context.wrap_socket(stream, server_side=True) as wrapped:
                        wrapped.send(wrapped.recv(1))
                except OSError:
                    continue  # refused, as most of these tests want

    thread = threading.Thread(target=serve)
    thread.start()
    yield int(listener.getsockname()[1])
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(10)


@pytest.fixture
def on_board(board: EmulatedBoard, net: AccessPoint) -> Iterator[REPL]:
    with REPL(board.port) as made:
        made.exec(ON_BOARD)
        yield made


def set_clock(on_board: REPL, moment: datetime) -> None:
    on_board.exec(f"clock{tuple(moment.timetuple())[:6]}")


def talk(on_board: REPL, port: int, authority: Authority, name: str = "m2m.example") -> str:
    said: str = on_board.eval(f"talk({port}, {authority.der!r}, {name!r})")
    return said


def test_board_with_the_right_time_trusts_its_authority(
    on_board: REPL, port: int, authority: Authority
) -> None:
    set_clock(on_board, datetime.now(UTC))
    assert talk(on_board, port, authority) == "x"


def test_unset_clock_finds_every_certificate_in_the_future(
    on_board: REPL, port: int, authority: Authority
) -> None:
    assert talk(on_board, port, authority) == "The certificate validity starts in the future"


def test_clock_that_is_ahead_finds_it_expired(
    on_board: REPL, port: int, authority: Authority
) -> None:
    set_clock(on_board, datetime.now(UTC) + timedelta(days=2))
    assert talk(on_board, port, authority) == "The certificate validity has expired"


def test_another_authority_and_another_name_are_refused(
    on_board: REPL, port: int, authority: Authority
) -> None:
    set_clock(on_board, datetime.now(UTC))
    assert "not correctly signed by the trusted CA" in talk(on_board, port, Authority())
    assert "does not match" in talk(on_board, port, authority, "other.example")


def test_who_checks_nothing_is_not_told_of_dates(on_board: REPL, port: int) -> None:
    assert on_board.eval(f"talk({port}, None, 'm2m.example', ssl.CERT_NONE)") == "x"
