# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""HTTP requests of the platform's own: to URLs that somebody else has chosen.

Each goes to the address that was looked at, never to another one that the name means a moment
later, follows no redirect, trusts public authorities, and ends in time whatever the other side
does. A connection is kept for the next request to the same URL, for some seconds.
"""

import asyncio
import contextlib
import secrets
import ssl
import time
from urllib.parse import SplitResult, urlsplit

import h11

from muster_server.outgoing import NotDelivered, Rules, allowed_address

DEADLINE_S = 5.0
_MOST_BYTES = 16 * 1024  # of an answer
_MOST_KEPT = 64  # connections
_IDLE_S = 5.0
_OLD_S = 30.0  # then the name is looked up anew
_RELEASE = "4"


class _Ended(Exception):
    """The other side has ended the connection before it answered."""


class _Line:
    """A connection to a target, from which one answer is read before the next request goes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MOST_BYTES)
        self._born = time.monotonic()
        self.timer: asyncio.TimerHandle | None = None

    async def post(self, parts: SplitResult, body: bytes, origin: str) -> h11.Response:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        head = h11.Request(method="POST", target=target, headers=_headers(parts, body, origin))
        events = (head, h11.Data(data=body), h11.EndOfMessage())
        self._writer.write(b"".join(self._http.send(event) or b"" for event in events))
        await self._writer.drain()
        return await _answer(self._http, self._reader)

    def is_reusable(self) -> bool:
        """Make it ready for another request, if the target keeps it open and it is not old."""
        if self._http.our_state is not h11.DONE or self._http.their_state is not h11.DONE:
            return False
        self._http.start_next_cycle()
        return time.monotonic() - self._born < _OLD_S

    async def close(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


class Outgoing:
    """Requests to targets, and connections that are kept for the next one to the same URL."""

    def __init__(self, origin: str, rules: Rules) -> None:
        self._origin = origin
        self._rules = rules
        self._kept: dict[str, _Line] = {}
        self._tls: ssl.SSLContext | None = None
        self._closing: set[asyncio.Task[None]] = set()

    async def post(self, url: str, body: bytes) -> None:
        """Send a notification. Raises NotDelivered if it was not taken."""
        try:
            async with asyncio.timeout(DEADLINE_S):
                await self._posted(url, body)
        except TimeoutError:
            raise NotDelivered(f"no answer within {DEADLINE_S:.0f} s") from None
        except (OSError, ValueError, h11.ProtocolError) as error:
            raise NotDelivered(type(error).__name__) from None

    async def close(self) -> None:
        """End all that is kept."""
        lines = [*self._kept.values()]
        self._kept.clear()
        await asyncio.gather(*(line.close() for line in lines), *self._closing)

    async def _posted(self, url: str, body: bytes) -> None:
        parts = urlsplit(url)
        former = self._kept.pop(url, None)
        if former is not None:
            if former.timer is not None:
                former.timer.cancel()
            # The target may have ended it meanwhile; then it is asked anew.
            with contextlib.suppress(OSError, h11.ProtocolError, _Ended):
                return await self._said(url, former, parts, body)
        line = _Line(*await self._connected(parts))
        try:
            await self._said(url, line, parts, body)
        except _Ended:
            raise NotDelivered("no answer") from None

    async def _said(self, url: str, line: _Line, parts: SplitResult, body: bytes) -> None:
        is_kept = False
        try:
            answer = await line.post(parts, body, self._origin)
            is_kept = line.is_reusable() and self._keep(url, line)
            _check(answer)
        finally:
            if not is_kept:
                await line.close()

    def _keep(self, url: str, line: _Line) -> bool:
        if url in self._kept or len(self._kept) >= _MOST_KEPT:
            return False
        self._kept[url] = line
        line.timer = asyncio.get_running_loop().call_later(_IDLE_S, self._drop, url, line)
        return True

    def _drop(self, url: str, line: _Line) -> None:
        if self._kept.get(url) is line:
            del self._kept[url]
            task = asyncio.get_running_loop().create_task(line.close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def _connected(
        self, parts: SplitResult
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host, is_secure = parts.hostname or "", parts.scheme == "https"
        port = parts.port or (443 if is_secure else 80)
        address = await allowed_address(host, port, self._rules, is_secure=is_secure)
        if is_secure and self._tls is None:
            self._tls = ssl.create_default_context(cafile=self._rules.ca_file)
        return await asyncio.open_connection(
            address,
            port,
            ssl=self._tls if is_secure else None,
            server_hostname=host if is_secure else None,
        )


def _headers(parts: SplitResult, body: bytes, origin: str) -> list[tuple[str, str]]:
    return [
        ("Host", parts.netloc.rpartition("@")[2]),
        ("X-M2M-Origin", origin),
        ("X-M2M-RI", secrets.token_hex(8)),
        ("X-M2M-RVI", _RELEASE),
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
    ]


async def _answer(connection: h11.Connection, reader: asyncio.StreamReader) -> h11.Response:
    """The answer, read to its end; what is longer than a refusal's text can be is left unread."""
    size, head = 0, None
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            part = await reader.read(4096)
            size += len(part)
            if size > _MOST_BYTES and head is not None:
                return head  # what it says was said in its head
            if size > _MOST_BYTES:
                raise NotDelivered("an endless answer")
            connection.receive_data(part)
        elif isinstance(event, h11.Response):
            head = event
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            return head
        elif not isinstance(event, h11.InformationalResponse | h11.Data):
            raise _Ended


def _check(answer: h11.Response) -> None:
    code = dict(answer.headers).get(b"x-m2m-rsc", b"2000")
    if not 200 <= answer.status_code < 300 or not code.startswith(b"2"):
        raise NotDelivered(f"HTTP {answer.status_code}")
