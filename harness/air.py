# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A scripted radio: access points that boards find, join and lose, and a trace of it all.

Each access point owns a 127.x.y.0/24 range; its gateway is .1. Servers of the test listen on
the gateway's address, boards get addresses from .2 on. Nothing here needs root.
"""

import hashlib
import hmac
import itertools
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from harness.address_range import AddressRange
from harness.errors import AirError

OPEN = 0
WPA2 = 3

# Driver's reasons (esp_wifi_types_generic.h) that an access point may be told to give
REASON_AUTH_EXPIRE = 2
REASON_4WAY_HANDSHAKE_TIMEOUT = 15
REASON_BEACON_TIMEOUT = 200
REASON_NO_AP_FOUND = 201
REASON_AUTH_FAIL = 202
REASON_ASSOC_FAIL = 203
REASON_HANDSHAKE_TIMEOUT = 204
REASON_CONNECTION_FAIL = 205


@dataclass(frozen=True)
class Event:
    """One line of the trace. `at` is seconds since the air was made, `what` e.g. "join"."""

    at: float
    board: str
    what: str
    details: dict[str, Any] = field(default_factory=dict)


class Station:
    """What the air has to know of a board's radio."""

    name: str

    def lost(self, access_point: "AccessPoint") -> None:
        """The access point is gone, or has thrown the station out."""
        raise NotImplementedError


class AccessPoint:
    """One network. Attributes may be changed while boards use it; see `Air.add_access_point`."""

    def __init__(
        self,
        air: "Air",
        ssid: bytes,
        addresses: AddressRange,
        *,
        password: str | None,
        channel: int,
        rssi: int,
        hidden: bool,
        dhcp_s: float | None,
        security: int | None,
        wrong_password_reason: int,
    ):
        self._air = air
        self.ssid = ssid
        self.addresses = addresses
        self._password = password
        self.channel = channel
        self.rssi = rssi
        self.hidden = hidden
        self.dhcp_s = dhcp_s  # None: no DHCP server answers
        self.security = security if security is not None else (WPA2 if password else OPEN)
        self.wrong_password_reason = wrong_password_reason
        self.refuses_with: int | None = None  # a reason given to everyone who tries to join
        self.out_of_range: set[str] = set()  # names of boards that cannot hear it
        self.names: dict[str, str] = {}  # what its DNS server answers
        self.bssid = b"\x02\x4d\x75" + addresses.number.to_bytes(3, "big")
        self._leases: dict[str, str] = {}
        self.stations: list[Station] = []

    @property
    def network(self) -> str:
        """e.g. "127.81.3.0/24"."""
        return f"{self.addresses.prefix}0/24"

    @property
    def gateway(self) -> str:
        """e.g. "127.81.3.1"."""
        return f"{self.addresses.prefix}1"

    @property
    def password(self) -> str | None:
        return self._password

    @password.setter
    def password(self, value: str | None) -> None:
        self._password = value
        self._air.trace_event("", "password", ssid=self.ssid)
        self.disconnect_all()

    def remove(self) -> None:
        """Switch it off: stations lose it, and nobody finds it again until `restore`."""
        self._air.take_away(self)

    def restore(self) -> None:
        """Switch it on again."""
        self._air.put_back(self)

    def lose(self, board: str) -> None:
        """Let a board, by its name, be out of range."""
        self.out_of_range.add(board)
        for station in list(self.stations):
            if station.name == board:
                station.lost(self)

    def reach(self, board: str) -> None:
        """Let a board be in range again."""
        self.out_of_range.discard(board)

    def disconnect_all(self) -> None:
        """Throw every station out; they may try again."""
        for station in list(self.stations):
            station.lost(self)

    def lease(self, station: str) -> str:
        """The address that the DHCP server gives a station: always the same one."""
        if station not in self._leases:
            self._leases[station] = f"{self.addresses.prefix}{len(self._leases) + 2}"
            if len(self._leases) > 250:
                raise AirError(f"{self.ssid!r} has no address left; use another access point")
        return self._leases[station]

    def check(self, key: bytes) -> int | None:
        """Judge a station's attempt to join: None is welcome, else the driver's reason."""
        if self.refuses_with is not None:
            return self.refuses_with
        if self.security == OPEN:
            # with a password the driver asks for at least WPA, so an open network is no match
            return 211 if key else None
        if not key:
            return 210
        password = (self._password or "").encode()
        if len(key) == 64:  # the key itself in hex instead of a passphrase (IEEE 802.11i, H.4)
            password = hashlib.pbkdf2_hmac("sha1", password, self.ssid, 4096, 32).hex().encode()
        return None if hmac.compare_digest(password, key) else self.wrong_password_reason


class Air:
    """All networks within reach, for any number of boards. A context manager."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._start = time.monotonic()
        self._points: list[AccessPoint] = []
        self._all: list[AccessPoint] = []
        self._connections = itertools.count(1)
        self.trace: list[Event] = []
        self.scan_s = 0.06
        self.association_s = 0.04
        self.failure_s = 0.04  # how long an attempt takes that fails
        self.scan_fails: int = 0  # so many next scans return nothing, as after a driver error
        # Hooks on every TCP connection of a board: given (board, address, port), they may return
        # another endpoint (a proxy of the test's) or None.
        self.on_connect: Callable[[str, str, int], tuple[str, int] | None] | None = None

    def __enter__(self) -> "Air":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the address ranges back."""
        for point in self._all:
            point.addresses.release()
        self._all.clear()
        self._points.clear()

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
    ) -> AccessPoint:
        """Put up a network: open without a password, else WPA2.

        `dhcp_s` is the DHCP server's delay, None for one that never answers.
        Raises AirError if no address range is free.
        """
        name = ssid.encode() if isinstance(ssid, str) else ssid
        if not 0 < len(name) <= 32:
            raise AirError(f"an SSID has 1 to 32 bytes, {name!r} has {len(name)}")
        point = AccessPoint(
            self,
            name,
            AddressRange(),
            password=password,
            channel=channel,
            rssi=rssi,
            hidden=hidden,
            dhcp_s=dhcp_s,
            security=security,
            wrong_password_reason=wrong_password_reason,
        )
        with self._lock:
            self._all.append(point)
            self._points.append(point)
        return point

    def take_away(self, point: AccessPoint) -> None:
        with self._lock:
            if point in self._points:
                self._points.remove(point)
        self.trace_event("", "remove", ssid=point.ssid)
        point.disconnect_all()

    def put_back(self, point: AccessPoint) -> None:
        with self._lock:
            if point not in self._points and point in self._all:
                self._points.append(point)

    def heard_by(self, board: str) -> list[AccessPoint]:
        """Access points in range of a board, strongest first."""
        with self._lock:
            points = [p for p in self._points if board not in p.out_of_range]
        return sorted(points, key=lambda p: -p.rssi)

    def find(self, board: str, ssid: bytes, bssid: bytes | None) -> AccessPoint | None:
        for point in self.heard_by(board):
            if point.ssid == ssid and bssid in (None, point.bssid):
                return point
        return None

    def next_connection(self) -> int:
        """A number for a connection in the trace."""
        return next(self._connections)

    def trace_event(self, board: str, what: str, **details: Any) -> None:
        self.trace.append(Event(time.monotonic() - self._start, board, what, details))

    def traced(self, *kinds: str, board: str | None = None) -> list[Event]:
        """Events of some kinds so far, of one board or of all."""
        wanted: Iterable[Event] = list(self.trace)
        return [e for e in wanted if e.what in kinds and board in (None, e.board)]
