# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does the DNS-SD advertisement promise?"""

import asyncio
import secrets
import socket
import struct
import time

import pytest

from muster_server.config_server.advertisement import Advertisement

QUESTION = b"\x07_muster\x04_tcp\x05local\x00" + struct.pack(">HH", 12, 1)


def one_shot_query(*wanted: bytes) -> float:
    """Ask as a device does, from an ephemeral port, so that answers come back to it alone: the
    seconds until one answer holds all that is wanted. Other servers of this machine answer too.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(3)
        lo = socket.inet_aton("127.0.0.1")
        asking.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, lo)
        asking.bind(("127.0.0.1", 0))
        header = secrets.token_bytes(2) + struct.pack(">HHHHH", 0, 1, 0, 0, 0)
        started = time.monotonic()
        asking.sendto(header + QUESTION, ("224.0.0.251", 5353))
        while True:
            answer = asking.recv(9000)
            if all(part in answer for part in wanted):
                return time.monotonic() - started


async def answered(listens: list[tuple[str, int]], *wanted: bytes) -> float:
    advertisement = Advertisement(listens)
    await advertisement.start()
    try:
        return await asyncio.to_thread(one_shot_query, *wanted)
    finally:
        await advertisement.stop()


def srv_and_a(port: int, address: str) -> tuple[bytes, bytes]:
    return struct.pack(">HHH", 0, 0, port), b"\x00\x04" + socket.inet_aton(address)


def test_query_is_answered_at_once_with_port_and_address() -> None:
    wanted = (*srv_and_a(18421, "127.1.1.1"), b"\x03v=1")
    assert asyncio.run(answered([("127.1.1.1", 18421)], *wanted)) < 0.2


def test_each_address_is_an_instance_of_its_own() -> None:
    places = [(18421, "127.1.2.1"), (18422, "127.1.3.1")]
    wanted = [part for place in places for part in srv_and_a(*place)]
    asyncio.run(answered([(address, port) for port, address in places], *wanted))


def test_this_machine_alone_is_not_announced_beside_an_address_that_boards_reach() -> None:
    own, reached = srv_and_a(18431, "127.0.0.1"), srv_and_a(18432, "127.1.4.1")
    listens = [("127.0.0.1", 18431), ("127.1.4.1", 18432)]
    asyncio.run(answered(listens, *reached))
    with pytest.raises(TimeoutError):
        asyncio.run(answered(listens, *own))
    asyncio.run(answered(listens[:1], *own))  # unless nothing else is there


def test_network_without_multicast_does_not_stop_the_server(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(**options: object) -> None:
        raise OSError("no multicast here")

    async def start_and_stop() -> None:
        advertisement = Advertisement([("127.0.0.1", 8421)])
        await advertisement.start()
        await advertisement.stop()

    monkeypatch.setattr("muster_server.config_server.advertisement.AsyncZeroconf", refuse)
    asyncio.run(start_and_stop())
    assert "will try their gateway" in caplog.text
