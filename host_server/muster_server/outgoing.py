# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""One HTTP request of a server's own: to a URL that somebody else has chosen.

It goes to the address that was looked at, never to another one that the name means a moment later,
follows no redirect, trusts public authorities, and ends in time whatever the other side does.
"""

import asyncio
import contextlib
import ipaddress
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import h11

DEADLINE_S = 5.0
_MOST_BYTES = 16 * 1024  # of an answer
# What whoever runs the receiver understands; the first kind that fits.
_REASONS: dict[type[Exception], str] = {
    socket.gaierror: "its name leads nowhere",
    ssl.SSLCertVerificationError: "its certificate is not trusted",
    ssl.SSLError: "no TLS there",
    ConnectionRefusedError: "nothing listens there",
    ConnectionError: "the connection broke",
    h11.ProtocolError: "no HTTP there",
}

Headers = list[tuple[str, str]]


class NotDelivered(Exception):
    """Nobody has taken it; the text says why, without what was sent."""


@dataclass(frozen=True)
class Rules:
    """To which networks of those that are not public anything is sent, e.g. ("10.0.0.0/8",).

    `needs_https`: beyond those networks nothing is sent in the clear.
    """

    networks: tuple[str, ...] = ()
    ca_file: str | None = None
    needs_https: bool = False

    def allow(self, address: str, *, is_secure: bool = True) -> bool:
        """Tell whether something may be sent to this address."""
        ip = ipaddress.ip_address(address)
        ip = getattr(ip, "ipv4_mapped", None) or ip
        networks = (ipaddress.ip_network(text, strict=False) for text in self.networks)
        if any(ip.version == n.version and ip in n for n in networks):
            return True
        is_public = ip.is_global and not ip.is_multicast
        return is_public and (is_secure or not self.needs_https)


async def post(url: str, body: bytes, headers: Headers, rules: Rules) -> h11.Response:
    """Send it; the head of the answer, whatever its status. Raises NotDelivered if none came."""
    try:
        async with asyncio.timeout(DEADLINE_S):
            return await _posted(url, body, headers, rules)
    except TimeoutError:
        raise NotDelivered(f"no answer within {DEADLINE_S:.0f} s") from None
    except (OSError, ValueError, h11.ProtocolError) as error:
        raise NotDelivered(_reason(error)) from None


def _reason(error: Exception) -> str:
    fitting = (words for kind, words in _REASONS.items() if isinstance(error, kind))
    return next(fitting, type(error).__name__)


async def _posted(url: str, body: bytes, headers: Headers, rules: Rules) -> h11.Response:
    parts = urlsplit(url)
    host, is_secure = parts.hostname or "", parts.scheme == "https"
    port = parts.port or (443 if is_secure else 80)
    address = await allowed_address(host, port, rules, is_secure=is_secure)
    context = ssl.create_default_context(cafile=rules.ca_file) if is_secure else None
    reader, writer = await asyncio.open_connection(
        address, port, ssl=context, server_hostname=host if is_secure else None
    )
    try:
        connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MOST_BYTES)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        own = [
            ("Host", parts.netloc.rpartition("@")[2]),
            ("Content-Type", "application/json"),
            ("Content-Length", str(len(body))),
            ("Connection", "close"),
        ]
        head = h11.Request(method="POST", target=target, headers=own[:1] + headers + own[1:])
        for event in (head, h11.Data(data=body), h11.EndOfMessage()):
            writer.write(connection.send(event) or b"")
        await writer.drain()
        return await _answer(connection, reader)
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def allowed_address(host: str, port: int, rules: Rules, *, is_secure: bool) -> str:
    """The address to which a request for this host goes. NotDelivered if there is none."""
    found: Sequence[Any] = await asyncio.get_running_loop().getaddrinfo(
        host, port, type=socket.SOCK_STREAM
    )
    addresses = [str(entry[4][0]) for entry in found]
    allowed = [a for a in addresses if rules.allow(a, is_secure=is_secure)]
    if not allowed and any(map(rules.allow, addresses)):
        raise NotDelivered("an address outside, to which nothing is sent without https")
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
