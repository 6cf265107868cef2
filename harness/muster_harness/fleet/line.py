# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""An open connection to a server, with TLS and without, in the event loop.

Without TLS it is a bare socket that the loop watches: asyncio's transports cost as much again as
all that the kernel does for a connection, and a fleet opens three for each onboarding.
"""

import asyncio
import contextlib
import os
import socket
import ssl
from typing import NamedTuple, cast

from muster_harness.fleet.answer import Reading

_AT_ONCE_BYTES = 65536
DEADLINE_S = 30.0  # for a connection, and for an answer


class Place(NamedTuple):
    """The address of a server that listens."""

    family: int
    address: tuple[str, int]
    host: str  # as its certificate names it


class Line:
    """One question at a time, and the answer that comes to it: what both kinds share."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._reading: Reading | None = None
        self._heard: asyncio.Future[None] | None = None
        self.is_open = True

    async def exchange(self, request: bytes) -> Reading:
        """Send it and return the answer. Raises OSError if none comes in time."""
        reading = self._reading = Reading()
        heard = self._heard = self._loop.create_future()
        alarm = self._loop.call_later(DEADLINE_S, self._ended, TimeoutError())
        try:
            await self._send(request)
            await heard
        finally:
            alarm.cancel()
            self._reading = self._heard = None
        return reading

    def close(self) -> None:
        """End it; a second time changes nothing."""
        self.is_open = False

    async def _send(self, request: bytes) -> None:
        raise NotImplementedError

    def _came(self, data: bytes) -> None:
        if self._reading is None or self._heard is None or self._heard.done():
            self.close()  # nobody has asked
            return
        try:
            self._reading.feed(data)
        except ConnectionError as error:
            self._ended(error)
            return
        if self._reading.is_complete:
            self._heard.set_result(None)

    def _ended(self, error: Exception | None) -> None:
        self.close()
        if self._reading is None or self._heard is None or self._heard.done():
            return
        try:
            if error is not None:
                raise error
            self._reading.end()
        except Exception as reason:  # noqa: BLE001 - whoever waits gets it
            self._heard.set_exception(reason)
        else:
            self._heard.set_result(None)


class PlainLine(Line):
    """A connection without TLS."""

    def __init__(self, loop: asyncio.AbstractEventLoop, connected: socket.socket) -> None:
        super().__init__(loop)
        self._socket = connected
        loop.add_reader(connected.fileno(), self._readable)

    async def _send(self, request: bytes) -> None:
        try:
            sent = self._socket.send(request)
        except BlockingIOError:
            sent = 0
        if sent < len(request):
            await self._loop.sock_sendall(self._socket, request[sent:])

    def _readable(self) -> None:
        try:
            data = self._socket.recv(_AT_ONCE_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            self._ended(error)
            return
        if data:
            self._came(data)
        else:
            self._ended(None)

    def close(self) -> None:
        """End it; a second time changes nothing."""
        if self.is_open:
            self.is_open = False
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()


class SecureLine(Line, asyncio.Protocol):
    """A connection with TLS, through asyncio's transport."""

    _transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what it is written to."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Give it to whoever asks."""
        self._came(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever asks."""
        self._ended(exc)

    async def _send(self, request: bytes) -> None:
        if self._transport is not None:
            self._transport.write(request)

    def close(self) -> None:
        """End it; a second time changes nothing."""
        self.is_open = False
        if self._transport is not None:
            self._transport.close()


async def opened(place: Place, source: str | None, context: ssl.SSLContext | None) -> Line:
    """Return a new connection. Raises OSError if there is none in time."""
    loop = asyncio.get_running_loop()
    made = socket.socket(place.family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        made.setblocking(False)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if source is not None:
            made.bind((source, 0))
        with contextlib.suppress(BlockingIOError):
            made.connect(place.address)
        if not _is_connected(made):
            await asyncio.wait_for(_connected(loop, made), DEADLINE_S)
        if context is None:
            return PlainLine(loop, made)
        _, line = await asyncio.wait_for(
            loop.create_connection(
                lambda: SecureLine(loop), sock=made, ssl=context, server_hostname=place.host
            ),
            DEADLINE_S,
        )
    except BaseException:
        made.close()
        raise
    return line


def _is_connected(made: socket.socket) -> bool:
    """A loopback network connects at once, though `connect` says that it is in progress."""
    try:
        made.getpeername()
    except OSError:
        return False
    return True


async def _connected(loop: asyncio.AbstractEventLoop, made: socket.socket) -> None:
    number = made.fileno()
    writable: asyncio.Future[None] = loop.create_future()
    loop.add_writer(number, lambda: None if writable.done() else writable.set_result(None))
    try:
        await writable
    finally:
        loop.remove_writer(number)
    code = made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if code:
        raise OSError(code, os.strerror(code))
