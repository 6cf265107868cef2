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

_LINE = const(1024)
_LINES = const(64)  # of all headers and trailers together
_POLL_MS = const(5)
# The rest is passed over.
_KEPT = const(("content-type", "location", "retry-after", "x-m2m-ri", "x-m2m-rsc"))


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
        self.lines = 0

    def close(self):
        if self._socket:
            self._socket.close()
            self._socket = self._poller = None

    # Sends a request and reads its answer. message: a list of one, see message(); it is emptied
    # once the answer has begun to come. room: where the body goes if it fits, in place of a
    # bytearray of its own. Returns (status, {lower-case name: value} of the headers worth keeping,
    # body as bytearray). A request is sent a second time only if a kept connection turns out to be
    # closed. Raises DeviceError.
    async def exchange(self, message, timeout_ms, limit_bytes, room=b""):
        is_kept = False
        try:
            answer: tuple = await asyncio.wait_for_ms(
                self._exchange(message, limit_bytes, room), timeout_ms
            )
            is_kept = answer[3]
            return answer[:3]
        except asyncio.TimeoutError:
            raise self.failure("no answer within %d ms" % timeout_ms)
        except (OSError, ValueError) as e:  # TLS raises the latter too
            self.close()  # room to say why
            raise self.failure(*self._explained(e))
        except MemoryError as e:
            if self._tls is None:
                raise
            raise self.failure("no memory for TLS: %s" % e, "platform_tls")
        finally:
            if not is_kept:
                self.close()

    def _explained(self, e):
        try:
            return borrow("http_failure", "explain", e, self._tls, self._code)
        except MemoryError:
            return "error %s" % e, self._code

    # Makes the DeviceError to raise: its code is the connection's own unless it is told.
    def failure(self, text, code=None):
        self._info = None  # the next request looks the name up anew
        return DeviceError(code or self._code, "%s:%d: %s" % (self._host, self._port, text))

    # Returns a request as it is sent; good until the next is made. Raises DeviceError.
    def message(self, method, path, headers, body):
        lines = ["%s %s HTTP/1.1" % (method, path), "Host: %s:%d" % (self._host, self._port)]
        for name in headers:
            lines.append("%s: %s" % (name, headers[name]))
        if body:
            lines.append("Content-Length: %d" % len(body))
        parts = []
        for line in lines:
            if "\r" in line or "\n" in line:
                raise DeviceError("config_invalid", "a line break in an HTTP header")
            parts.append(line.encode())
        parts += [b"", body or b""]
        if sum([len(part) + 2 for part in parts]) > len(self._room):
            return b"\r\n".join(parts)  # at once: the message stands in RAM a single time
        return self._put(parts)

    def _put(self, parts):
        room = self._room
        at = 0
        for part in parts:
            if at:
                room[at : at + 2] = b"\r\n"
                at += 2
            room[at : at + len(part)] = part
            at += len(part)
        return memoryview(room)[:at]

    async def _exchange(self, message, limit_bytes, room):
        is_reused = self._socket is not None
        while True:
            try:
                await self._send(message[0])
                line = await self.line()
                break
            except OSError:
                self.close()
                if not is_reused:
                    raise
                is_reused = False
        message.clear()
        status = self._status(line)
        while status < 200:  # 100 Continue and its like say nothing yet
            while await self.line():
                pass
            status = self._status(await self.line())
        is_kept = line.startswith(b"HTTP/1.1")
        length = None
        is_chunked = False
        kept = {}
        while True:
            line = await self.line()
            if not line:
                break
            name, value = self._header(line)
            if name == "content-length":
                if not value.isdigit() or length not in (None, int(value)):
                    raise self.failure("the answer has no sensible length")
                length = int(value)
            elif name == "transfer-encoding":
                is_chunked = value.lower() == "chunked"
            elif name == "connection":
                is_kept = is_kept and value.lower() != "close"
            elif name in _KEPT:
                kept[name] = value
        content = bytearray()
        if status == 204 or status == 304:
            pass
        elif is_chunked:
            await borrowed("chunked", "read", self, content, limit_bytes)
        elif length is not None:
            self._check_size(length, limit_bytes)
            # In one piece: growing would take room twice.
            fits = length <= len(room)
            content = memoryview(room)[:length] if fits else bytearray(length)  # type: ignore
            await self._fill(content, 0)
        else:
            is_kept = False
            while await self._filled():
                await self.extend(content, self._end - self._start, limit_bytes)
        # What came beyond the answer belongs to no request.
        return status, kept, content, is_kept and self._start == self._end

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
            view = view[size or 0 :]
        self.lines = 0

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
            info = socket.getaddrinfo(self._host, self._port, 0, socket.SOCK_STREAM)[0]
            self._info = info
        self._socket = socket.socket(info[0], info[1], info[2])
        self._start = self._end = 0
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

    async def line(self):
        self.lines += 1
        line = bytearray()
        while len(line) < _LINE and self.lines < _LINES:
            if not await self._filled():
                raise OSError(errno.ECONNRESET)
            byte = self._buffer[self._start]
            self._start += 1
            if byte == 10:
                return bytes(line).rstrip()
            line.append(byte)
        raise self.failure("the answer's headers are too long")

    def _status(self, line):
        if not line.startswith(b"HTTP/1.") or not line[9:12].isdigit():
            raise self.failure("the answer is not HTTP")
        return int(line[9:12])

    def _header(self, line):
        try:
            name, _, value = line.decode().partition(":")
        except UnicodeError:
            raise self.failure("the answer's headers are not text")
        return name.lower(), value.strip()

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
