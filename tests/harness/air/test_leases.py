# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A DHCP server gives, refuses and changes leases, and a board takes them as it should."""

import socket
import time
from collections.abc import Callable

import pytest

from muster_harness.air.air import AccessPoint, Air
from muster_harness.air.dhcp_server import NOWHERE
from muster_harness.errors import AirError
from muster_harness.wire.repl import REPL
from tests.harness.air.on_board import SOCKETS


@pytest.fixture
def point(air: Air) -> AccessPoint:
    air.scan_s = air.association_s = air.failure_s = 0.01
    return air.add_access_point("home", dhcp_s=0.01)


@pytest.fixture
def there(repl: REPL, point: AccessPoint) -> REPL:
    repl.exec(SOCKETS)
    return repl


def wait_for(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_lease_without_router_and_name_server(there: REPL, point: AccessPoint) -> None:
    point.dhcp.router = point.dhcp.dns = None
    there.exec("join('home')")
    assert there.eval("w.ifconfig()[1:]") == ("255.255.255.0", NOWHERE, NOWHERE)
    assert there.eval("errno_of(lambda: socket.getaddrinfo('a.example', 1))") == -202
    with socket.create_server((point.gateway, 0)) as server:  # on the own link it needs no router
        there.exec(f"socket.socket().connect(({point.gateway!r}, {server.getsockname()[1]}))")


def test_of_a_single_address_everything_lies_behind_the_router(
    there: REPL, point: AccessPoint
) -> None:
    point.dhcp.prefix_length = 32
    there.exec("join('home')")
    connect = f"errno_of(socket.socket().connect, ({point.gateway!r}, 9))"
    assert there.eval(connect) == 111
    point.dhcp.router = None
    there.exec("w.disconnect(); join('home')")
    assert there.eval(connect) == 118
    there.exec("u = socket.socket(2, 2)")
    assert there.eval(f"errno_of(u.sendto, b'x', ({point.gateway!r}, 9))") == 118


def test_a_refused_request_begins_anew(there: REPL, point: AccessPoint, air: Air) -> None:
    point.dhcp.naks = 2
    there.exec("join('home')")
    assert len(air.traced("nak")) == 2
    assert there.eval("w.ifconfig()[0]") == point.dhcp.address_of("board")


def test_a_renewal_may_bring_another_address(there: REPL, point: AccessPoint) -> None:
    there.exec("join('home'); first = w.ifconfig()[0]")
    point.renew(renumber=True)
    there.exec("while w.ifconfig()[0] == first: time.sleep_ms(2)")
    second = there.eval("w.ifconfig()[0]")
    assert second == point.dhcp.address_of("board")
    assert there.eval("w.isconnected()") is True
    point.renew()
    assert there.eval("w.ifconfig()[0]") == second


def test_a_refused_renewal_leaves_a_board_connected_without_address(
    there: REPL, point: AccessPoint, air: Air
) -> None:
    there.exec("join('home')")
    point.dhcp.naks, point.dhcp.delay_s = 1, 600
    point.renew("board")
    wait_for(lambda: bool(air.traced("nak")))
    assert there.eval("(w.isconnected(), w.ifconfig()[0])") == (True, NOWHERE)


def test_a_server_may_be_slow(there: REPL, point: AccessPoint, air: Air) -> None:
    point.dhcp.delay_s = 0.2
    there.exec("join('home')")
    (join,), (address,) = air.traced("join"), air.traced("address")
    assert address.at - join.at >= 0.19


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("delay_s", -1),
        ("router", "home"),
        ("dns", "300.0.0.1"),
        ("prefix_length", 33),
        ("naks", -1),
        ("naks", 0.5),
    ],
)
def test_a_wrong_value_is_an_air_error(point: AccessPoint, name: str, value: object) -> None:
    with pytest.raises(AirError):
        setattr(point.dhcp, name, value)
