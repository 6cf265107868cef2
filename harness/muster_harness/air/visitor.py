# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A phone or laptop that joins a network of the air, so that this host's browser can look in."""

import contextlib
import socket
import time
from collections.abc import Callable
from typing import Any, Protocol

from muster_harness.air.access_point import AccessPoint, Station
from muster_harness.air.address_range import host_port
from muster_harness.air.admission import REASON_BEACON_TIMEOUT
from muster_harness.air.capture import Flow
from muster_harness.air.connection import Connection, reset
from muster_harness.air.dialling import Dialling
from muster_harness.air.dns_message import address_in, question
from muster_harness.air.messages import Fate, Messages
from muster_harness.errors import AirError, BoardError, JoinRefused
from muster_harness.loop import Loop

_DATAGRAM = 65507
_DNS_PORT = 53


class Surroundings(Protocol):
    """The air, as far as a visitor has to know it."""

    messages: Messages

    def enter(self, name: str) -> None: ...
    def flow(self, source: tuple[str, int], target: tuple[str, int]) -> Flow | None: ...
    def leave(self, name: str) -> None: ...
    def trace_event(self, board: str, what: str, **details: Any) -> None: ...


class Visitor(Station):
    """A guest on one network, until `close`, the end of its `with`, or the network's end.

    A program on this host reaches the network's servers by `url` or `endpoint`: relays on
    127.0.0.1, whose connections come from the visitor's own address. They end with the network.
    """

    def __init__(self, air: Surroundings, point: AccessPoint, password: str | None, name: str):
        """Join the access point and take an address.

        Raises JoinRefused with the driver's reason if the access point refuses, AirError if there
        is no address to be had or the name is taken.
        """
        self._air = air
        self.name = name
        self.mac = b"\x02\x70" + name.encode()[:4].ljust(4, b"\0")
        self.network = point
        key = (password or "").encode()
        reason = point.mismatch(key) or point.check(key, name)
        if reason is not None:
            air.trace_event(name, "refused", ssid=point.ssid, reason=reason)
            raise JoinRefused(
                f"{point.ssid!r} does not let {name} in (driver's reason {reason}): "
                f"{point.why(reason)}",
                reason,
            )
        if point.dhcp_s is None:
            raise AirError(f"{point.ssid!r} gives no address; its DHCP server is off")
        air.enter(name)
        try:
            self.address: str = point.dhcp.address_of(name)
        except AirError:
            air.leave(name)
            raise
        self.is_joined = True
        self._connections: set[Connection] = set()
        self._waiting: set[socket.socket] = set()  # callers of whom the network has not heard yet
        self._dialling: set[Dialling] = set()
        self._listeners: dict[tuple[str, int], socket.socket] = {}
        self._loop = Loop(f"visitor {name}")
        point.stations.append(self)
        point.associated(name, "association")
        air.trace_event(name, "join", ssid=point.ssid, channel=point.channel)
        air.trace_event(name, "address", ssid=point.ssid, address=self.address)

    def __enter__(self) -> "Visitor":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave the network and end everything. May be called twice."""
        with contextlib.suppress(BoardError):  # its loop has been stopped before
            self._loop.call(self._leave)
            self._loop.stop()

    # -- what a program of this host uses

    def url(self, port: int = 80, path: str = "/") -> str:
        """A URL that a browser on this host can open, e.g. "http://127.0.0.1:40123/"."""
        host, local = self.endpoint(port)
        return f"http://{host}:{local}{path}"

    def endpoint(self, port: int, address: str | None = None) -> tuple[str, int]:
        """Return where on this host a port of the network's gateway, or of another address, is.

        Raises AirError once the visitor has left.
        """
        return self._loop.call(lambda: self._listen(address or self.network.gateway, port))

    def ask(self, data: bytes, port: int, timeout_s: float = 2.0) -> bytes:
        """Send a datagram to the gateway and return the first answer.

        Raises TimeoutError if none comes, AirError once the visitor has left.
        """
        self._require_joined()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.bind((self.address, 0))
            asking.settimeout(timeout_s)
            asking.sendto(data, (self.network.gateway, host_port(port)))
            while True:
                answer, sender = asking.recvfrom(_DATAGRAM)
                if sender[0] in self.network.addresses:
                    return answer

    def resolve(self, name: str, timeout_s: float = 2.0) -> str | None:
        """Ask the DNS server at the gateway for a name: its address, or None if it has none."""
        return address_in(self.ask(question(name), _DNS_PORT, timeout_s))

    # -- as a station

    def lost(self, access_point: AccessPoint, reason: int = REASON_BEACON_TIMEOUT) -> None:
        with contextlib.suppress(BoardError):
            self._loop.call(self._leave)

    def will_lose(self, access_point: AccessPoint) -> None:
        self._loop.post(self._leave)

    # -- in the loop

    def _leave(self) -> None:
        if not self.is_joined:
            return
        self.is_joined = False
        self._air.leave(self.name)
        self.network.stations.remove(self)
        self._air.trace_event(self.name, "leave", ssid=self.network.ssid)
        for listener in self._listeners.values():
            self._loop.forget(listener.fileno())
            listener.close()
        for dialling in self._dialling:
            dialling.cancel()
        for near in self._waiting:
            reset(near)
        self._waiting.clear()
        for connection in list(self._connections):
            connection.reset()

    def _require_joined(self) -> None:
        if not self.is_joined:
            raise AirError(
                f"{self.name} is no longer joined to {self.network.ssid!r}; visit again"
            )

    def _listen(self, address: str, port: int) -> tuple[str, int]:
        self._require_joined()
        listener = self._listeners.get((address, port))
        if listener is None:
            listener = socket.create_server(("127.0.0.1", 0))
            listener.setblocking(False)
            self._listeners[address, port] = listener
            made = listener
            self._loop.on_ready(made.fileno(), lambda: self._accept(made, address, port))
        host, local = listener.getsockname()
        return host, local

    def _accept(self, listener: socket.socket, address: str, port: int) -> None:
        try:
            near, _ = listener.accept()
        except OSError:
            return
        self._waiting.add(near)
        wait_s = self.network.deaf_until - time.monotonic()
        if wait_s > 0:
            self._loop.later(wait_s, lambda: self._dial(near, address, port))
        else:
            self._dial(near, address, port)

    def _dial(self, near: socket.socket, address: str, port: int) -> None:
        def answered(far: socket.socket | None, error: int) -> None:
            self._dialling.discard(dialling)
            if near not in self._waiting:
                if far is not None:
                    far.close()
                return
            self._waiting.discard(near)
            if far is None:
                reset(near)
                return
            watcher = _Watcher(self._air, self, address, port, self._connections.discard)
            flow = self._air.flow((self.address, far.getsockname()[1]), (address, port))
            connection = Connection(self._loop, self.network, near, far, watcher, flow)
            self._connections.add(connection)

        if near in self._waiting:
            dialling = Dialling(self._loop, self.address, (address, host_port(port)), answered)
            self._dialling.add(dialling)


class _Watcher:
    """Lets a visitor's connection to a board count among that board's messages."""

    def __init__(
        self,
        air: Surroundings,
        visitor: Visitor,
        address: str,
        port: int,
        on_end: Callable[[Connection], None],
    ):
        self._air = air
        self._visitor = visitor
        self._address = address
        self._port = port
        self.ended = on_end

    def passes(self) -> bool:
        visitor = self._visitor
        return visitor.network.carries(visitor.name, self._address, self._port)

    def turn(self, way: str, size: int) -> Fate:
        network = self._visitor.network
        boards_way = "rx" if way == "tx" else "tx"
        return self._air.messages.judge(
            network.owner, network.ssid, "tcp", boards_way, self._visitor.address, self._port, size
        )

    def replay(self, data: bytes) -> None:
        """A browser's request is not said again."""
