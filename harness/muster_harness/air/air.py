# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A scripted radio: access points that boards find, join and lose, and a trace of it all.

Servers of a test listen on a network's gateway address. Nothing here needs root.
"""

import itertools
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from muster_harness.air.access_point import AccessPoint
from muster_harness.air.address_range import AddressRange
from muster_harness.air.admission import REASON_AUTH_FAIL
from muster_harness.air.bluetooth import Bluetooth
from muster_harness.air.cables import Cables
from muster_harness.air.capture import Capture, Flow
from muster_harness.air.ether import Ether
from muster_harness.air.local_network import LocalNetwork
from muster_harness.air.messages import Messages
from muster_harness.air.radio_settings import checked_bssid
from muster_harness.air.visitor import Visitor
from muster_harness.errors import AirError

__all__ = ["AccessPoint", "Air", "Event", "Stay", "Visitor"]

_JOIN_S = 5.0


@dataclass(frozen=True)
class Event:
    """One line of the trace. `at` is seconds since the air was made, `what` e.g. "join"."""

    at: float
    board: str
    what: str
    details: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        details = " ".join(f"{name}={value!r}" for name, value in self.details.items())
        return f"{self.board} {self.what} {details}".strip()


@dataclass(frozen=True)
class Stay:
    """Somebody's time in a network, in seconds since the air was made; `until` is None so far."""

    board: str
    ssid: bytes
    since: float
    until: float | None


class Air:
    """All networks within reach, for any number of boards. A context manager."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._start = time.monotonic()
        self._points: list[AccessPoint] = []
        self._visitors: list[Visitor] = []
        self._names: set[str] = set()  # of the boards and visitors that are here
        self._connections = itertools.count(1)
        self.trace: list[Event] = []
        self.messages = Messages()
        self.ether = Ether()
        self.cables = Cables()
        self.bluetooth = Bluetooth(self.ether, self.trace_event)
        self.listeners: list[Callable[[Event], None]] = []  # told each event, in any thread
        self.capture: Capture | None = None
        self.scan_s = 0.06
        self.association_s = 0.04
        self.failure_s = 0.04  # how long an attempt takes that fails
        self.scan_fails: int = 0  # so many next scans return nothing, as after a driver error
        # Asked about every TCP connection of a board: given (board, address, port), it may return
        # another endpoint (a proxy of the test's) or None.
        self.on_connect: Callable[[str, str, int], tuple[str, int] | None] | None = None

    def __enter__(self) -> "Air":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Send the visitors home and give the address ranges back."""
        if self.capture is not None:
            self.capture.close()
        for visitor in self._visitors:
            visitor.close()
        for point in self._points:
            point.close()
        self._visitors.clear()
        self._points.clear()

    def enter(self, name: str) -> None:
        """A board or visitor comes. Addresses, ranges and the trace go by names, so raises
        AirError if another one of that name is here."""
        with self._lock:
            if name in self._names:
                raise AirError(
                    f"there is a {name!r} in this air already; give each board, and each visitor, "
                    'a name of its own (name="…"), or let the other one go first'
                )
            self._names.add(name)

    def leave(self, name: str) -> None:
        """Forget a board or visitor that is gone for good."""
        with self._lock:
            self._names.discard(name)

    def add_access_point(
        self,
        ssid: str | bytes,
        *,
        password: str | None = None,
        channel: int = 1,
        rssi: int = -50,
        hidden: bool = False,
        dhcp_s: float | None = 0.02,
        security: int | None = None,
        wrong_password_reason: int = REASON_AUTH_FAIL,
        bssid: bytes | str | None = None,
        requires_pmf: bool = False,
        beside: AccessPoint | None = None,
        address: str | None = None,
    ) -> AccessPoint:
        """Put up an access point: open without a password, else WPA2 unless `security` says more.

        `dhcp_s` is the DHCP server's delay, None for one that never answers. `bssid` is six bytes
        or text as "02:4d:75:00:00:01". Access points may have one name: each is a network of its
        own, as a neighbour's is, unless it stands `beside` another one, in front of the same
        addresses and servers, as a repeater does. `address` is the gateway's, e.g. "127.77.1.1",
        for servers that are there already; else any that is free. `requires_pmf`: only stations
        with protected management frames are let in. Raises AirError for a wrong value, for a
        BSSID that is in the air already, and if no address range is free, or the wanted one is
        not.
        """
        name = ssid.encode() if isinstance(ssid, str) else ssid
        if not 0 < len(name) <= 32:
            raise AirError(f"an SSID has 1 to 32 bytes, {name!r} has {len(name)}")
        if bssid is not None:
            self._require_new(checked_bssid(bssid))
        lan = LocalNetwork(AddressRange(address)) if beside is None else beside.lan
        try:
            point = AccessPoint(
                self.trace_event,
                name,
                lan,
                password=password,
                channel=channel,
                rssi=rssi,
                hidden=hidden,
                dhcp_s=dhcp_s,
                security=security,
                wrong_password_reason=wrong_password_reason,
                bssid=bssid,
                requires_pmf=requires_pmf,
            )
        except AirError:
            if beside is None:
                lan.addresses.release()
            raise
        point.is_up = True
        self.put_up(point)
        return point

    def put_up(self, point: AccessPoint) -> None:
        """Let a network be part of the air, for good; it is heard while it `is_up`."""
        with self._lock:
            self._points.append(point)

    def take_down(self, point: AccessPoint) -> None:
        """Forget a network and give its range back."""
        with self._lock:
            if point in self._points:
                self._points.remove(point)
                point.close()

    def access_point(self, ssid: str | bytes) -> AccessPoint:
        """The network of that name that can be heard now, e.g. one that a board has opened.

        Raises AirError if there is none.
        """
        name = ssid.encode() if isinstance(ssid, str) else ssid
        with self._lock:
            up = [p for p in self._points if p.is_up]
        for point in up:
            if point.ssid == name:
                return point
        raise AirError(f"no access point {name!r} is up; there are {[p.ssid for p in up]}")

    def visit(
        self, ssid: str | bytes, password: str | None = None, *, name: str = "phone"
    ) -> "Visitor":
        """Join a network with a phone or laptop, so that a browser of this host reaches it.

        Raises JoinRefused for a wrong password or a full network, AirError if there is no such
        network, if it gives no address, or does not answer for five seconds.
        """
        point = self.access_point(ssid)
        deadline = time.monotonic() + _JOIN_S
        while point.deaf_until > time.monotonic():
            if time.monotonic() > deadline:
                raise AirError(f"{ssid!r} did not answer for {_JOIN_S} s; does its board scan?")
            time.sleep(0.005)
        visitor = Visitor(self, point, password, name)
        with self._lock:
            self._visitors.append(visitor)
        return visitor

    def heard_by(self, board: str) -> list[AccessPoint]:
        """Access points in range of a board, strongest first."""
        now = time.monotonic()
        with self._lock:
            points = [
                p
                for p in self._points
                if p.is_up
                and p.signal.is_heard
                and board not in p.out_of_range
                and p.deaf_until <= now
            ]
        return sorted(points, key=lambda p: -p.rssi)

    def find(self, board: str, ssid: bytes, bssid: bytes | None) -> list[AccessPoint]:
        """Return the access points of a name that a board hears, as its driver comes across them.

        The order is by channel, and on one channel the strongest first. A BSSID leaves that one
        only.
        """
        found = [
            point
            for point in self.heard_by(board)
            if point.ssid == ssid and bssid in (None, point.bssid)
        ]
        return sorted(found, key=lambda point: point.channel)

    def _require_new(self, bssid: bytes) -> None:
        with self._lock:
            other = next((p for p in self._points if p.bssid == bssid), None)
        if other is not None:
            raise AirError(f"{bssid.hex(':')} is the BSSID of {other.ssid!r} already")

    def points(self) -> list[AccessPoint]:
        """All networks, those too that nobody hears now."""
        with self._lock:
            return list(self._points)

    def capture_to(self, path: Path, *, has_contents: bool = False) -> None:
        """Write packets into a file that Wireshark opens, from now on until the air is closed.

        What programs say is left out, because passwords are among it, unless `has_contents`.
        """
        if self.capture is not None:
            self.capture.close()
        self.capture = Capture(path, self, has_contents=has_contents)

    def flow(self, source: tuple[str, int], target: tuple[str, int]) -> Flow | None:
        """Begin a connection in the capture, if there is one."""
        return self.capture.flow(source, target) if self.capture is not None else None

    def next_connection(self) -> int:
        """A number for a connection in the trace."""
        return next(self._connections)

    def trace_event(self, board: str, what: str, **details: Any) -> None:
        event = Event(time.monotonic() - self._start, board, what, details)
        self.trace.append(event)
        for listener in self.listeners:
            listener(event)

    def stays(self, board: str | None = None) -> list[Stay]:
        """Return every stay in a network, of one board or of all, oldest first."""
        found: list[Stay] = []
        for event in self.traced("join", "leave", board=board):
            if event.what == "join":
                found.append(Stay(event.board, event.details["ssid"], event.at, None))
                continue
            for n in reversed(range(len(found))):
                if found[n].board == event.board and found[n].until is None:
                    found[n] = replace(found[n], until=event.at)
                    break
        return found

    def traced(self, *kinds: str, board: str | None = None) -> list[Event]:
        """Events of some kinds so far, of one board or of all."""
        wanted: Iterable[Event] = list(self.trace)
        return [e for e in wanted if e.what in kinds and board in (None, e.board)]
