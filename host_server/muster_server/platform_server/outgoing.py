# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""One HTTP request of the platform's own: to a URL that somebody else has chosen.

It goes to the address that was looked at, never to another one that the name means a moment later,
follows no redirect, trusts public authorities, and ends in time whatever the other side does.
"""

import asyncio
import contextlib
import ipaddress
import secrets
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import h11

DEADLINE_S = 5.0
_MOST_BYTES = 16 * 1024  # of an answer
_RELEASE = "4"


class NotDelivered(Exception):
    """Nobody has taken it; the text says why, without what was sent."""


@dataclass(frozen=True)
class Rules:
    """To which networks of those that are not public anything is sent, e.g. ("10.0.0.0/8",)."""

    networks: tuple[str, ...] = ()
    ca_file: str | None = None

    def allow(self, address: str) -> bool:
        """Tell whether something may be sent to this address."""
        ip = ipaddress.ip_address(address)
        ip = getattr(ip, "ipv4_mapped", None) or ip
        if ip.is_global and not ip.is_multicast:
            return True
        networks = (ipaddress.ip_network(text, strict=False) for text in self.networks)
        return any(ip.version == n.version and ip in n for n in networks)


async def post(url: str, body: bytes, origin: str, rules: Rules) -> None:
    """Send a notification. Raises NotDelivered if it was not taken."""
    try:
        async with asyncio.timeout(DEADLINE_S):
            await _posted(url, body, origin, rules)
    except TimeoutError:
        raise NotDelivered(f"no answer within {DEADLINE_S:.0f} s") from None
    except (OSError, ValueError, h11.ProtocolError) as error:
        raise NotDelivered(type(error).__name__) from None


async def _posted(url: str, body: bytes, origin: str, rules: Rules) -> None:
    parts = urlsplit(url)
    host, is_secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if is_secure else 80)
    address = await _address(host, port, rules)
    context = ssl.create_default_context(cafile=rules.ca_file) if is_secure else None
    reader, writer = await asyncio.open_connection(
        address, port, ssl=context, server_hostname=host if is_secure else None
    )
    try:
        connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MOST_BYTES)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        head = h11.Request(method="POST", target=target, headers=_headers(parts, body, origin))
        for event in (head, h11.Data(data=body), h11.EndOfMessage()):
            writer.write(connection.send(event) or b"")
        await writer.drain()
        _check(await _answer(connection, reader))
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def _headers(parts: Any, body: bytes, origin: str) -> list[tuple[str, str]]:
    return [
        ("Host", parts.netloc.rpartition("@")[2]),
        ("X-M2M-Origin", origin),
        ("X-M2M-RI", secrets.token_hex(8)),
        ("X-M2M-RVI", _RELEASE),
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("Connection", "close"),
    ]


async def _address(host: str, port: int, rules: Rules) -> str:
    found: Sequence[Any] = await asyncio.get_running_loop().getaddrinfo(
        host, port, type=socket.SOCK_STREAM
    )
    allowed = [str(entry[4][0]) for entry in found if rules.allow(str(entry[4][0]))]
    if not allowed:
        raise NotDelivered("an address inside, to which nothing is sent (--notify-network)")
    return allowed[0]


async def _answer(connection: h11.Connection, reader: asyncio.StreamReader) -> h11.Response:
    size = 0
    while True:
        event = connection.next_event()
        if isinstance(event, h11.Response):
            return event
        if event is h11.NEED_DATA:
            part = await reader.read(4096)
            size += len(part)
            if size > _MOST_BYTES:
                raise NotDelivered("an endless answer")
            connection.receive_data(part)
        elif not isinstance(event, h11.InformationalResponse):
            raise NotDelivered("no answer")


def _check(answer: h11.Response) -> None:
    code = dict(answer.headers).get(b"x-m2m-rsc", b"2000")
    if not 200 <= answer.status_code < 300 or not code.startswith(b"2"):
        raise NotDelivered(f"HTTP {answer.status_code}")
