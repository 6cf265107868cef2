# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A board's one-shot mDNS query reaches real responders, and only its own network's answer."""

import socket
from collections.abc import Iterator

import pytest
from zeroconf import IPVersion, ServiceInfo, Zeroconf

from muster_harness.air.air import AccessPoint, Air
from muster_harness.wire.repl import REPL
from tests.harness.air.test_sockets import SETUP

SERVICE = "_muster._tcp.local."
# RFC 6763, 4.1: the PTR question for the service, id 0x1234
QUERY = b"\x12\x34\0\0\0\1\0\0\0\0\0\0\x07_muster\x04_tcp\x05local\0\0\x0c\0\x01"


@pytest.fixture
def point(air: Air) -> AccessPoint:
    air.scan_s = air.association_s = 0.01
    return air.add_access_point("home", dhcp_s=0.01)


def responder(address: str, name: str) -> Zeroconf:
    made = Zeroconf(interfaces=[address], ip_version=IPVersion.V4Only)
    made.register_service(
        ServiceInfo(
            SERVICE,
            f"{name}.{SERVICE}",
            addresses=[socket.inet_aton(address)],
            port=8421,
            properties={"v": "1"},
            server=f"{name}.local.",
        ),
        cooperating_responders=True,
    )
    return made


@pytest.fixture
def responders(point: AccessPoint, air: Air) -> Iterator[AccessPoint]:
    """One responder in the joined network, one in another."""
    other = air.add_access_point("other")
    made = [responder(point.gateway, "here"), responder(other.gateway, "elsewhere")]
    yield other
    for each in made:
        each.close()


def test_only_answers_and_names_of_the_joined_network_arrive(
    repl: REPL, point: AccessPoint, responders: AccessPoint
) -> None:
    repl.exec(SETUP + "join('home')")
    repl.exec("u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.settimeout(2)")
    repl.exec(f"u.sendto({QUERY!r}, ('224.0.0.251', 5353)); d, a = u.recvfrom(1500)")
    assert repl.eval("a") == (point.gateway, 5353)
    data = repl.eval("d")
    assert data[:2] == b"\x12\x34"
    assert socket.inet_aton(point.gateway) in data
    assert b"elsewhere" not in data
    repl.exec("u.settimeout(0.2)")
    assert repl.eval("errno_of(u.recvfrom, 1500)") == 116
    assert repl.eval("socket.getaddrinfo('here.local', 8421)[0][-1]") == (point.gateway, 8421)


def test_a_query_without_a_network_is_refused(repl: REPL) -> None:
    repl.exec(SETUP + "u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)")
    assert repl.eval(f"errno_of(u.sendto, {QUERY!r}, ('224.0.0.251', 5353))") == 118
