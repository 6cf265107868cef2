# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Carries the TCP connections that one board makes, from its socket to whoever it wants to reach.

The board connects to a relay at its own address at once; whether the other end answers, and
when, it is told by an event. Silence needs no event: a board that has left the network, or lost
its power, says nothing to its peers.
"""

import contextlib
import socket
from collections import deque
from collections.abc import Callable

from muster_harness.air.access_point import AccessPoint
from muster_harness.air.capture import Flow
from muster_harness.air.connection import Connection, reset
from muster_harness.air.dialling import Dialling
from muster_harness.air.messages import Fate, Messages
from muster_harness.loop import Loop

Endpoint = tuple[str, int]
_MOST_SILENT = 64  # cut-off connections that are kept, so that their peers hear nothing
_REPLAY_S = 5.0
_SYN_AGAIN_S = 0.5  # where nothing passes, the first segment is sent again


class TCPRelay:
    """All connections of one board. Everything runs in the board's loop."""

    def __init__(
        self,
        loop: Loop,
        messages: Messages,
        name: str,
        on_outcome: Callable[[int, int], None],
        flow: Callable[[Endpoint, Endpoint], Flow | None] = lambda source, target: None,
    ):
        """`flow` begins a connection in a capture."""
        self._flow = flow
        self._loop = loop
        self._messages = messages
        self._name = name
        self._on_outcome = on_outcome  # told (number, 0 or the host's errno)
        self._calls: set[_Call] = set()
        self._silent: deque[_Call] = deque()

    def connect(
        self,
        number: int,
        network: AccessPoint,
        source: str,
        peer: tuple[str, int],
        target: tuple[str, int],
    ) -> tuple[str, int]:
        """Begin to reach `target` from `source`; the board is to connect to what is returned.

        `peer` is what the board calls the target.
        """

        def turn(way: str, size: int) -> Fate:
            return self._messages.judge(self._name, network.ssid, "tcp", way, *peer, size)

        def passes() -> bool:
            return peer[0] in network.addresses and network.carries(self._name, *peer)

        call = _Call(self._loop, network, source, target, turn, self._calls.discard)
        call.passes = passes
        call.flow = lambda port: self._flow((source, port), peer)
        call.on_outcome = lambda error: self._on_outcome(number, error)
        self._calls.add(call)
        return call.begin()

    @property
    def count(self) -> int:
        """The number of connections, those under way too."""
        return len(self._calls)

    def silence(self, source: str | None = None) -> None:
        """The board has left the network where it had an address: nothing is heard there."""
        for call in list(self._calls):
            if source in (None, call.source):
                self._calls.discard(call)
                call.silence()
                self._silent.append(call)
                if len(self._silent) > _MOST_SILENT:
                    self._silent.popleft().close()

    def close(self) -> None:
        self.silence()
        for call in self._silent:
            call.close()
        self._silent.clear()


class _Call:
    """One connection, from the board's wish to its end."""

    def __init__(
        self,
        loop: Loop,
        network: AccessPoint,
        source: str,
        target: tuple[str, int],
        turn: Callable[[str, int], Fate],
        on_end: Callable[["_Call"], None],
    ):
        self._loop = loop
        self.network = network
        self.source = source
        self._target = target
        self.turn = turn
        self.on_outcome: Callable[[int], None] = lambda error: None
        self.passes: Callable[[], bool] = lambda: True
        self.flow: Callable[[int], Flow | None] = lambda port: None
        self._on_end = on_end
        self._listener: socket.socket | None = None
        self._near: socket.socket | None = None
        self._far: socket.socket | None = None
        self._dialling: Dialling | None = None
        self._connection: Connection | None = None
        self._is_silent = self._has_failed = False

    def begin(self) -> tuple[str, int]:
        self._listener = listener = socket.create_server((self.source, 0))
        listener.setblocking(False)
        self._loop.on_ready(listener.fileno(), self._accept)
        there_and_back = 2 * self.network.impairment.reliable_transit_s(0, "tx")
        self._loop.later(there_and_back, self._dial)
        host, port = listener.getsockname()
        return host, port

    def silence(self) -> None:
        """Nothing of it is heard any more, at either end."""
        self._is_silent = True
        self._end_listening()
        if self._dialling is not None:
            self._dialling.cancel()
        if self._connection is not None:
            self._connection.mute()

    def close(self) -> None:
        self.silence()
        if self._connection is not None:
            self._connection.close()
        for end in (self._near, self._far):
            if end is not None:
                end.close()

    # -- as the watcher of its connection; `turn` and `passes` are the maker's

    def replay(self, data: bytes) -> None:
        _Replay(self._loop, self.source, self._target, data)

    def ended(self, connection: Connection) -> None:
        self._on_end(self)

    # -- how it comes about

    def _accept(self) -> None:
        if self._listener is None:
            return
        with contextlib.suppress(OSError):
            self._near, _ = self._listener.accept()
            self._end_listening()
            self._join()

    def _end_listening(self) -> None:
        if self._listener is not None:
            self._loop.forget(self._listener.fileno())
            self._listener.close()
            self._listener = None

    def _dial(self) -> None:
        if self._is_silent:
            return
        if self.passes():
            self._dialling = Dialling(self._loop, self.source, self._target, self._answered)
        elif not self._is_given_up():
            self._loop.later(_SYN_AGAIN_S, self._dial)

    # Whether the board has closed its end; it says nothing before it knows the outcome.
    def _is_given_up(self) -> bool:
        if self._near is None:
            return False
        try:
            self._near.setblocking(False)
            return not self._near.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def _answered(self, far: socket.socket | None, error: int) -> None:
        self._far = far
        self.on_outcome(error)
        self._has_failed = far is None
        self._join()

    def _join(self) -> None:
        if self._near is not None and self._has_failed:
            reset(self._near)
            self._on_end(self)
        elif self._near is not None and self._far is not None and not self._is_silent:
            near, far, self._near, self._far = self._near, self._far, None, None
            flow = self.flow(far.getsockname()[1])
            self._connection = Connection(self._loop, self.network, near, far, self, flow)


class _Replay:
    """Says to a server once more what it has heard, and listens to nothing."""

    def __init__(self, loop: Loop, source: str, target: tuple[str, int], data: bytes):
        self._loop = loop
        self._data = data
        self._far: socket.socket | None = None
        self._dialling = Dialling(loop, source, target, self._answered)
        loop.later(_REPLAY_S, self._end)

    def _answered(self, far: socket.socket | None, error: int) -> None:
        if far is None:
            return
        self._far = far
        with contextlib.suppress(OSError):  # it does not want to hear it
            far.send(self._data)  # a turn fits into a socket's buffer
            far.shutdown(socket.SHUT_WR)
        self._loop.on_ready(far.fileno(), self._read)

    def _read(self) -> None:
        try:
            heard = self._far.recv(65536) if self._far is not None else b""
        except BlockingIOError:
            return
        except OSError:
            heard = b""
        if not heard:
            self._end()

    def _end(self) -> None:
        self._dialling.cancel()
        if self._far is not None:
            self._loop.forget(self._far.fileno())
            self._far.close()
            self._far = None
