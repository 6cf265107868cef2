# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# A small HTTP/1.1 client (RFC 9112) in which everything has a deadline and a bound. Names are
# looked up by getaddrinfo, which blocks the event loop; an address costs nothing.

import asyncio
import errno
import select

from micropython import const

from .errors import DeviceError
from .modules import borrow, borrowed
from .room import WANT, lacked

_LINE = const(160)  # bytes of a line that are read; the rest of it is passed over
_HEAD = const(65536)  # bytes of all lines of an answer together
_POLL_MS = const(5)


# Keeps a connection, opened when needed, for the next request if the server does so too. tls: a
# tls.Trust. code: what DeviceErrors carry, other than "platform_tls" for TLS. room_bytes: kept for
# messages, as a heap in long use has less and less room in one piece.
class Connection:
    def __init__(self, host, port, tls=None, code="server_unreachable", room_bytes=0):
        self._host = host
        self._port = port
        self._tls = tls
        self._code = code
        self._socket = None
        self._poller: select.poll | None = None
        self._info = None
        self._room = bytearray(room_bytes)
        self._buffer = bytearray(128)
        self._start = self._end = 0
        self._passed = 0  # bytes of this answer's lines
        self._is_up = False  # something has been written: TCP, and TLS if any, are there

    def close(self):
        if self._socket:
            self._socket.close()
            self._socket = self._poller = None
            self.keep_room()

    # For the next handshake.
    def keep_room(self):
        if self._tls:
            self._tls.closed()

    # Sends a request and reads its answer. message: a list of one, see message(); it is emptied
    # once the answer has begun to come. is_own: tells by status and headers whether the answer is
    # of whom was asked; that of anybody else is an error, its body is not read. room: where the
    # body goes if it fits, in place of a bytearray of its own. Returns (status, {lower-case name:
    # value} of the headers worth keeping, body as bytearray). A request is sent a second time only
    # on a kept connection that turns out to be closed, if nothing of an answer has come, and if it
    # did not arrive whole or is_safe: doing it twice does no harm. Raises DeviceError.
    async def exchange(self, message, timeout_ms, limit_bytes, is_own, room=b"", is_safe=True):
        is_kept = False
        try:
            answer: tuple = await asyncio.wait_for_ms(
                self._exchange(message, limit_bytes, is_own, room, is_safe), timeout_ms
            )
            is_kept = answer[3]
            return answer[:3]
        except asyncio.TimeoutError:
            raise self.failure("no answer within %d ms" % timeout_ms)
        except (OSError, ValueError) as e:  # TLS raises the latter too
            self.close()  # room to say why
            try:
                error = borrow(
                    "http_failure", "explained", self, e, self._tls, self._code, self._is_up
                )
            except MemoryError:
                error = self.failure("error %s" % e)
            raise error
        except MemoryError as e:
            if self._tls is None:
                raise
            self.close()
            lacked()
            raise self.failure("%s: %s" % (WANT, e), "platform_tls")
        finally:
            if not is_kept:
                self.close()

    # Makes the DeviceError to raise: its code is the connection's own unless it is told.
    def failure(self, text, code=None):
        self._info = None  # the next request looks the name up anew
        return DeviceError(code or self._code, "%s:%d: %s" % (self._host, self._port, text))

    # Returns a request as it is sent; good until the next is made. Raises DeviceError.
    def message(self, method, path, headers, body):
        # Front ends know their hosts by the exact name, which has no port where it is the usual.
        is_usual = self._port == (443 if self._tls else 80)
        host = self._host if is_usual else "%s:%d" % (self._host, self._port)
        return borrow("http_request", "write", self._room, method, path, host, headers, body)

    async def _exchange(self, message, limit_bytes, is_own, room, is_safe):
        if self._socket is not None and self._is_stale():
            self.close()
        is_reused = self._socket is not None
        self._passed = 0
        while True:
            is_sent = False
            try:
                await self._send(message[0])
                is_sent = True
                line = await self.line()
                break
            except OSError:
                self.close()
                if not is_reused or self._passed or (is_sent and not is_safe):
                    raise
                is_reused = False
        message.clear()
        status, head, length, is_kept = await borrowed("http_head", "read", self, line, is_own)
        content = bytearray()
        if length is None:
            while await self._filled():
                await self.extend(content, self._end - self._start, limit_bytes)
        elif length < 0:
            await borrowed("chunked", "read", self, content, limit_bytes)
        else:
            self._check_size(length, limit_bytes)
            # In one piece: growing would take room twice.
            fits = length <= len(room)
            content = memoryview(room)[:length] if fits else bytearray(length)  # type: ignore
            await self._fill(content, 0)
        # What came beyond the answer belongs to no request.
        return status, head, content, is_kept and self._start == self._end

    # Tells whether something waits on a kept connection that nobody has asked for: its end, or the
    # farewell of a server that was tired of waiting, which must not answer the next request.
    def _is_stale(self):
        self._poller.modify(self._socket, select.POLLIN)  # type: ignore[union-attr]
        return bool(self._poller.poll(0))  # type: ignore[union-attr]

    async def _send(self, message):
        if not self._socket:
            if self._tls:
                await self._tls.room()
            self._open()
        view = memoryview(message)
        await self._ready(select.POLLOUT)  # connected
        while view:
            size = self._socket.write(view)  # type: ignore[union-attr]
            if size is None:
                await self._ready(select.POLLOUT)
            elif not self._is_up:
                self._is_up = True
                if self._tls:
                    self._tls.shaken()
            view = view[size or 0 :]

    # Waits as asyncio's streams do, which are 2 KiB more.
    async def _ready(self, event):
        self._poller.modify(self._socket, event)  # type: ignore[union-attr]
        while not self._poller.poll(0):  # type: ignore[union-attr]
            await asyncio.sleep_ms(_POLL_MS)

    # Opens the socket. The name is looked up once, because getaddrinfo stops the event loop until
    # it has its answer (an ESP32 asks its DNS server for up to some 14 s): a connection that fails
    # forgets it. Not by asyncio.open_connection, which loses the socket when it is cancelled.
    def _open(self):
        import socket

        info = self._info
        if info is None:
            try:
                info = socket.getaddrinfo(self._host, self._port, 0, socket.SOCK_STREAM)[0]
            except OSError as e:  # its numbers are nobody else's
                raise self.failure("this name has no address here: error %s" % e)
            self._info = info
        self._socket = socket.socket(info[0], info[1], info[2])
        self._start = self._end = 0
        self._is_up = False
        self._socket.setblocking(False)
        try:
            self._socket.connect(info[-1])
        except OSError as e:
            if e.errno != errno.EINPROGRESS:
                raise
        if self._tls:
            self._socket = self._tls.wrap_socket(self._socket, self._host)
            self._socket.setblocking(False)
        self._poller = select.poll()
        self._poller.register(self._socket, select.POLLOUT)

    # Waits until something has come. Returns False at the end of the stream.
    async def _filled(self):
        while self._start == self._end:
            size = self._socket.readinto(self._buffer)  # type: ignore[union-attr]
            if size is None:
                await self._ready(select.POLLIN)
                continue
            await asyncio.sleep_ms(0)  # a long answer does not stop the event loop
            if size == 0:
                return False
            self._start = 0
            self._end = size
        return True

    # Returns the next line, or as much of it as anybody needs.
    async def line(self):
        line = bytearray()
        while True:
            if not await self._filled():
                raise OSError(errno.ECONNRESET)
            start = self._start
            end = self._buffer.find(b"\n", start, self._end) + 1
            self._start = end or self._end
            self._passed += self._start - start
            if self._passed > _HEAD:
                raise self.failure("the answer's headers are too long")
            piece = memoryview(self._buffer)[start : self._start]
            if end and not line:  # as mostly: it stands in RAM once
                return bytes(piece).rstrip()
            if len(line) < _LINE:
                line.extend(piece)
            if end:
                return bytes(memoryview(line)[:_LINE]).rstrip()

    async def extend(self, content, size, limit_bytes):
        at = len(content)
        self._check_size(at + size, limit_bytes)
        content.extend(bytes(size))
        await self._fill(content, at)

    def _check_size(self, size, limit_bytes):
        if size > limit_bytes:
            raise self.failure("the answer exceeds %d bytes" % limit_bytes)

    async def _fill(self, content, at):
        size = len(content) - at
        while size:
            if not await self._filled():
                raise self.failure("the answer is cut off, %d bytes short" % size)
            n = min(size, self._end - self._start)
            content[at : at + n] = memoryview(self._buffer)[self._start : self._start + n]
            self._start += n
            at += n
            size -= n
