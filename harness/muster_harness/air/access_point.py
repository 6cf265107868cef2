# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""One network of the air: its settings, who is joined, and whom it refuses.

It owns a 127.x.y.0/24 range of which .1 is its own; stations get addresses from .2 on.
"""

import hashlib
import hmac
from collections.abc import Callable
from typing import Protocol

from muster_harness.air.address_range import AddressRange
from muster_harness.air.captive import Captive
from muster_harness.air.impairment import Impairment
from muster_harness.air.name_server import NameServer
from muster_harness.air.time_server import TimeServer
from muster_harness.errors import AirError

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
_NO_COMPATIBLE_SECURITY = 210
_BELOW_AUTHMODE_THRESHOLD = 211
_MOST_LEASES = 250


class Carried(Protocol):
    """A connection that a network carries."""

    def cut(self, silently: bool = False) -> None:
        """End it now, with a reset or without a word; from any thread."""


class Station:
    """What the air has to know of a radio that joins networks."""

    name: str
    mac: bytes
    address: str | None

    def lost(self, access_point: "AccessPoint") -> None:
        """The access point is gone, or has thrown the station out; returns when it has left."""
        raise NotImplementedError

    def will_lose(self, access_point: "AccessPoint") -> None:
        """As `lost`, but returns at once: for callers that must not wait for another board."""
        raise NotImplementedError


class AccessPoint:
    """One network. Attributes may be changed while boards use it; see `Air.add_access_point`."""

    def __init__(
        self,
        trace: Callable[..., None],
        ssid: bytes,
        addresses: AddressRange,
        *,
        password: str | None = None,
        channel: int = 1,
        rssi: int = -50,
        hidden: bool = False,
        dhcp_s: float | None = 0.02,
        security: int | None = None,
        wrong_password_reason: int = REASON_AUTH_FAIL,
    ):
        self._trace = trace
        self.ssid = ssid
        self.addresses = addresses
        self._password = password
        self._channel = channel
        self.rssi = rssi
        self.hidden = hidden
        self.dhcp_s = dhcp_s  # None: no DHCP server answers
        self.security = security if security is not None else (WPA2 if password else OPEN)
        self.wrong_password_reason = wrong_password_reason
        self.refuses_with: int | None = None  # a reason given to everyone who tries to join
        self.most_stations = 250
        self.out_of_range: set[str] = set()  # names of boards that cannot hear it
        self.dns = NameServer()
        self.captive: Captive | None = None  # who answers every connection in place of all others
        self._servers: list[Captive | TimeServer] = []
        self.bssid = b"\x02\x4d\x75" + addresses.number.to_bytes(3, "big")
        self.impairment = Impairment()  # delay, loss, bandwidth of whatever crosses it
        self.connections: set[Carried] = set()  # that it carries now
        self.owner = ""  # the board whose access point it is
        self.is_up = False  # whether anybody can hear it
        self.deaf_until = 0.0  # time.monotonic(): a board that scans does not serve its stations
        self._leases: dict[str, str] = {}
        self.stations: list[Station] = []

    @property
    def names(self) -> dict[str, str | None]:
        """What its DNS server answers: a name's address, or None for no such name."""
        return self.dns.names

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
        self._trace("", "password", ssid=self.ssid)
        self.disconnect_all()

    @property
    def channel(self) -> int:
        return self._channel

    @channel.setter
    def channel(self, value: int) -> None:
        self.tune(value)
        self._trace("", "channel", ssid=self.ssid, channel=value)
        self.disconnect_all()

    def tune(self, channel: int) -> None:
        """Change the channel and leave it to the caller what becomes of the stations."""
        self._channel = channel

    def set_up(
        self,
        ssid: bytes,
        *,
        password: str | None,
        security: int,
        hidden: bool,
        most_stations: int,
    ) -> None:
        """Change what it is called and whom it lets in; whoever is joined stays so."""
        self.ssid, self._password, self.security = ssid, password, security
        self.hidden, self.most_stations = hidden, most_stations

    def remove(self) -> None:
        """Switch it off: stations lose it, and nobody finds it again until `restore`."""
        self.is_up = False
        self._trace("", "remove", ssid=self.ssid)
        self.disconnect_all()

    def restore(self) -> None:
        """Switch it on again."""
        self.is_up = True

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

    def serve_time(self, unix: float, names: tuple[str, ...] = ("pool.ntp.org",)) -> TimeServer:
        """Answer NTP queries at the gateway, known by some names, with a time that is set."""
        server = TimeServer(self.gateway, unix)
        self._servers.append(server)
        self.names.update(dict.fromkeys(names, self.gateway))
        return server

    def hold_captive(self, page: bytes = b"<h1>Please log in</h1>", status: int = 200) -> Captive:
        """Answer every name with the gateway, and every connection with a page."""
        self.captive = captive = Captive(self.gateway, page, status)
        self._servers.append(captive)
        self.dns.everything = self.gateway
        return captive

    def release_captive(self) -> None:
        """Be an ordinary network again, as after somebody has logged in."""
        self.captive = self.dns.everything = None

    def close(self) -> None:
        """End its servers and give its range back."""
        for server in self._servers:
            server.close()
        self._servers.clear()
        self.addresses.release()

    def cut(self, *, silently: bool = False) -> None:
        """End every connection that it carries now, with a reset or without a word."""
        self._trace("", "cut", ssid=self.ssid, connections=len(self.connections))
        for connection in list(self.connections):
            connection.cut(silently)

    def lease(self, station: str) -> str:
        """The address that the DHCP server gives a station, by its name: always the same one.
        Raises AirError if none is left."""
        if station not in self._leases:
            if len(self._leases) >= _MOST_LEASES:
                raise AirError(f"{self.ssid!r} has no address left; use another access point")
            self._leases[station] = f"{self.addresses.prefix}{len(self._leases) + 2}"
        return self._leases[station]

    def check(self, key: bytes) -> int | None:
        """Judge a station's attempt to join: None is welcome, else the driver's reason."""
        if self.refuses_with is not None:
            return self.refuses_with
        if self.security == OPEN:
            if (
                key
            ):  # with a password the driver asks for at least WPA: an open network is no match
                return _BELOW_AUTHMODE_THRESHOLD
        elif not key:
            return _NO_COMPATIBLE_SECURITY
        elif not hmac.compare_digest(self._key_like(key), key):
            return self.wrong_password_reason
        return REASON_ASSOC_FAIL if len(self.stations) >= self.most_stations else None

    def why(self, reason: int) -> str:
        """A refusal in words, with what to try."""
        if self.refuses_with is not None:
            return "the test lets it refuse everybody (refuses_with)"
        return {
            _BELOW_AUTHMODE_THRESHOLD: "it is open, and a password was given; join it without",
            _NO_COMPATIBLE_SECURITY: "it wants a password, and none was given",
            self.wrong_password_reason: "the password is another",
        }.get(reason, f"it has no room beside {len(self.stations)} stations")

    def _key_like(self, key: bytes) -> bytes:
        password = (self._password or "").encode()
        if len(key) == 64:  # the key itself in hex instead of a passphrase (IEEE 802.11i, H.4)
            return hashlib.pbkdf2_hmac("sha1", password, self.ssid, 4096, 32).hex().encode()
        return password
