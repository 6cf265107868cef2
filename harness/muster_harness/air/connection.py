# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""One TCP connection that the air carries: two sockets of this host, and what lies between."""

import contextlib
import socket
import struct
import time
from collections import deque
from dataclasses import dataclass
from typing import Protocol

from muster_harness.air.access_point import AccessPoint
from muster_harness.air.capture import Flow
from muster_harness.air.messages import PASSES, Fate
from muster_harness.loop import Loop, Timer

_PIECE = 1440  # TCP_MSS of an ESP32's lwIP: what is late or lost at a time
_AGAIN_S = 0.5  # between two looks whether a dead link carries again
_AHEAD = 5760  # its send window: so much is on its way before the sender has to wait


class Watcher(Protocol):
    """A connection's maker, which wants to know of it. Called in the loop's thread."""

    def turn(self, way: str, size: int) -> Fate:
        """One side begins to speak; "tx" is the near one."""

    def passes(self) -> bool:
        """Tell whether anything is carried now; the rest is sent again later."""

    def replay(self, data: bytes) -> None:
        """A whole turn of the near side has to be heard twice."""

    def ended(self, connection: "Connection") -> None:
        """Take note that the connection is over. Called once."""


class Connection:
    """Carries bytes both ways until both ends have said goodbye, or the network is gone."""

    def __init__(
        self,
        loop: Loop,
        network: AccessPoint,
        near: socket.socket,
        far: socket.socket,
        watcher: Watcher,
        flow: Flow | None = None,
    ):
        """`flow` is told of what is carried, for a capture."""
        self.flow = flow
        self.loop = loop
        self.network = network
        self._watcher = watcher
        self._sockets = (near, far)
        self._speaker: _Way | None = None
        self.left = network.impairment.cut_after_bytes  # so many may still arrive
        for end in self._sockets:
            end.setblocking(False)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._ways = (_Way(self, "tx", near, far), _Way(self, "rx", far, near))
        self._is_open = True
        network.connections.add(self)
        for way in self._ways:
            way.resume()

    def cut(self, silently: bool = False) -> None:
        """From any thread: end it now, with a reset or without a word."""
        self.loop.post(self.mute if silently else self.reset)

    def reset(self) -> None:
        """Cut it: both ends see a reset."""
        if self._is_open:
            if self.flow is not None:
                self.flow.cut()
            self.mute()
            for end in self._sockets:
                reset(end)
            self.close()

    def mute(self) -> None:
        """Cut it in silence: neither end hears anything more until `close`."""
        for way in self._ways:
            way.stop()

    def close(self) -> None:
        if self._is_open:
            self._is_open = False
            self.network.connections.discard(self)
            self.mute()
            for end in self._sockets:
                end.close()
            self._watcher.ended(self)

    def passes(self) -> bool:
        """Tell whether the network carries anything of it now."""
        return self._watcher.passes()

    def fate_of_piece(self, way: "_Way", size: int) -> Fate:
        """Return the fate of bytes that one side has just sent: that of the turn's first ones."""
        if self._speaker is not way:
            self.turn_ends()
            self._speaker = way
            way.fate = self._watcher.turn(way.name, size)
        return way.fate

    def turn_ends(self) -> None:
        """The other side speaks now, or the speaker says goodbye: what is said twice, is now."""
        speaker = self._speaker
        if speaker is not None and speaker.said:
            again = bytes(speaker.said)
            speaker.said.clear()
            if speaker is self._ways[0]:
                self._watcher.replay(again)
            else:
                speaker.say_again(again)

    def carried(self, size: int) -> bool:
        """Count bytes that have arrived; false if they were the last ones allowed."""
        if self.left is None:
            return True
        self.left -= size
        if self.left > 0:
            return True
        self.reset()
        return False

    def way_ended(self) -> None:
        if all(way.has_ended for way in self._ways):
            self.close()


@dataclass
class _Piece:
    due: float  # time.monotonic()
    data: bytes  # b"" is the end


class _Way:
    """One direction of a connection."""

    def __init__(
        self, connection: Connection, name: str, source: socket.socket, sink: socket.socket
    ):
        self._connection = connection
        self._loop = connection.loop
        self.name = name
        self._source = source
        self._sink = sink
        self._sink_writable = sink.dup()  # a loop knows a descriptor once, and it is read already
        self.fate = PASSES
        self.said = bytearray()  # of a turn that is to be heard twice
        self._queue: deque[_Piece] = deque()
        self._queued = 0
        self._last_due = 0.0
        self._reads = self._waits_to_write = self._is_stopped = self._source_ended = False
        self.has_ended = False
        self._timer: Timer | None = None

    def resume(self) -> None:
        if not self._reads and not self._is_stopped and not self._source_ended:
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
        self._queue.clear()
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
        if data:
            self._take(data)
        else:
            self._source_ended = True
            self._connection.turn_ends()
            self._enqueue(b"", 0.0)
        if not data or self._queued >= _AHEAD:
            self._pause()
        self._deliver()

    def _take(self, data: bytes) -> None:
        fate = self._connection.fate_of_piece(self, len(data))
        if fate.copies > 1:
            self.said += data
        if fate.copies > 0:
            self._enqueue(data, fate.delay_s)

    def _enqueue(self, data: bytes, delay_s: float) -> None:
        impairment = self._connection.network.impairment
        due = time.monotonic() + impairment.reliable_transit_s(len(data), self.name) + delay_s
        self._last_due = max(due, self._last_due)
        self._queue.append(_Piece(self._last_due, data))
        self._queued += len(data)

    def say_again(self, data: bytes) -> None:
        """Let the sink hear a turn once more."""
        self._enqueue(data, 0.0)
        self._deliver()

    def _deliver(self) -> None:
        self._timer = None
        while self._queue and not self._waits_to_write:
            piece = self._queue[0]
            due = max(piece.due, self._connection.network.deaf_until)
            wait_s = due - time.monotonic()
            if wait_s > 0:
                self._timer = self._loop.later(wait_s, self._deliver)
                return
            if not self._connection.passes():
                self._timer = self._loop.later(_AGAIN_S, self._deliver)
                return
            if not piece.data:
                self._end()
                return
            self._send(piece)

    def _send(self, piece: _Piece) -> None:
        try:
            sent = self._sink.send(piece.data[: self._connection.left])
        except BlockingIOError:
            self._wait_to_write(True)
            return
        except OSError:
            self._connection.reset()
            return
        if self._connection.flow is not None:
            self._connection.flow.carried(self.name, piece.data[:sent])
        piece.data = piece.data[sent:]
        if not piece.data:
            self._queue.popleft()
        self._queued -= sent
        if self._connection.carried(sent):
            self.resume()

    def _end(self) -> None:
        self._queue.clear()
        self.has_ended = True
        if self._connection.flow is not None:
            self._connection.flow.ended(self.name)
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


def reset(end: socket.socket) -> None:
    """Close a socket so that its peer sees a reset."""
    with contextlib.suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    end.close()
