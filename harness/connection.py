# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""One TCP connection that the air carries: two sockets of this host, and what lies between."""

import contextlib
import socket
import struct
import time
from collections import deque
from collections.abc import Callable

from harness.access_point import AccessPoint
from harness.loop import Loop, Timer

_PIECE = 1440  # TCP_MSS of an ESP32's lwIP: what is late or lost at a time
_AHEAD = 5760  # its send window: so much is on its way before the sender has to wait


class Connection:
    """Carries bytes both ways until both ends have said goodbye, or the network is gone.

    Everything runs in the loop's thread. `on_end` is called once.
    """

    def __init__(
        self,
        loop: Loop,
        network: AccessPoint,
        near: socket.socket,
        far: socket.socket,
        on_end: Callable[["Connection"], None],
    ):
        self.network = network
        self._on_end = on_end
        self._sockets = (near, far)
        for end in self._sockets:
            end.setblocking(False)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._ways = (_Way(loop, self, near, far), _Way(loop, self, far, near))
        self._is_open = True
        for way in self._ways:
            way.resume()

    def reset(self) -> None:
        """Cut it: both ends see a reset."""
        if self._is_open:
            for end in self._sockets:
                with contextlib.suppress(OSError):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close()

    def mute(self) -> None:
        """Cut it in silence: neither end hears anything more until `close`."""
        for way in self._ways:
            way.stop()

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            self.mute()
            for end in self._sockets:
                end.close()
            self._on_end(self)

    def way_ended(self) -> None:
        if all(way.has_ended for way in self._ways):
            self.close()


class _Way:
    """One direction of a connection."""

    def __init__(
        self, loop: Loop, connection: Connection, source: socket.socket, sink: socket.socket
    ):
        self._loop = loop
        self._connection = connection
        self._source = source
        self._sink = sink
        self._sink_writable = sink.dup()  # a loop knows a descriptor once, and it is read already
        self._queue: deque[tuple[float, bytes]] = deque()  # (when it arrives, what; b"" the end)
        self._queued = 0
        self._reads = self._waits_to_write = self._is_stopped = False
        self.has_ended = False
        self._timer: Timer | None = None

    def resume(self) -> None:
        if not self._reads:
            self._reads = True
            self._loop.on_ready(self._source.fileno(), self._read)

    def _pause(self) -> None:
        if self._reads:
            self._reads = False
            self._loop.forget(self._source.fileno())

    def stop(self) -> None:
        if self._is_stopped:
            return
        self._is_stopped = True
        self._pause()
        self._wait_to_write(False)
        self._sink_writable.close()
        if self._timer is not None:
            self._timer.cancel()

    def _read(self) -> None:
        try:
            data = self._source.recv(_PIECE)
        except BlockingIOError:
            return
        except OSError:
            self._connection.reset()
            return
        self._queue.append((max(time.monotonic(), self._connection.network.deaf_until), data))
        self._queued += len(data)
        if not data or self._queued >= _AHEAD:
            self._pause()
        self._deliver()

    def _deliver(self) -> None:
        self._timer = None
        while self._queue and not self._waits_to_write:
            due, data = self._queue[0]
            wait_s = due - time.monotonic()
            if wait_s > 0:
                self._timer = self._loop.later(wait_s, self._deliver)
                return
            if not data:
                self._end()
                return
            self._send(data)

    def _send(self, data: bytes) -> None:
        try:
            sent = self._sink.send(data)
        except BlockingIOError:
            self._wait_to_write(True)
            return
        except OSError:
            self._queue.clear()
            self._connection.reset()
            return
        self._queue[0] = (0.0, data[sent:])
        if sent == len(data):
            self._queue.popleft()
        self._queued -= sent
        self.resume()

    def _end(self) -> None:
        self._queue.clear()
        self.has_ended = True
        with contextlib.suppress(OSError):
            self._sink.shutdown(socket.SHUT_WR)
        self._connection.way_ended()

    def _wait_to_write(self, waits: bool) -> None:
        if waits == self._waits_to_write:
            return
        self._waits_to_write = waits
        if waits:
            self._loop.on_ready(self._sink_writable.fileno(), self._writable, writable=True)
        else:
            self._loop.forget(self._sink_writable.fileno())

    def _writable(self) -> None:
        self._wait_to_write(False)
        self._deliver()
