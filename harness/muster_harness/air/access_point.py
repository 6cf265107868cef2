# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""One access point of the air: its settings, who is joined, and whom it refuses.

Behind it lies a local network, a 127.x.y.0/24 range of which .1 is the gateway; stations get
addresses from .2 on.
"""

import time
from collections.abc import Callable
from typing import Protocol

from muster_harness.air.address_range import AddressRange
from muster_harness.air.admission import (
    OPEN,
    REASON_AUTH_FAIL,
    REASON_BEACON_TIMEOUT,
    WPA2,
    Admission,
    checked_reason,
)
from muster_harness.air.captive import Captive
from muster_harness.air.dead_links import Cure, DeadLinks
from muster_harness.air.dhcp_server import DHCPServer
from muster_harness.air.fading import Signal
from muster_harness.air.impairment import Impairment
from muster_harness.air.local_network import LocalNetwork
from muster_harness.air.name_server import Entry, NameServer
from muster_harness.air.radio_settings import checked_bssid, checked_channel
from muster_harness.air.time_server import TimeServer
from muster_harness.errors import AirError


class Carried(Protocol):
    """A connection that a network carries."""

    def cut(self, silently: bool = False) -> None:
        """End it now, with a reset or without a word; from any thread."""


class Station:
    """A radio that joins networks, as far as the air has to know it."""

    name: str
    mac: bytes
    address: str | None

    def lost(self, access_point: "AccessPoint", reason: int = REASON_BEACON_TIMEOUT) -> None:
        """Take note that the access point is gone, or has thrown the station out, with a driver's
        reason. Returns when the station has left."""
        raise NotImplementedError

    def will_lose(self, access_point: "AccessPoint") -> None:
        """Do as `lost` does, but return at once: for callers that must not wait for another
        board."""
        raise NotImplementedError

    def signal_changes(self, access_point: "AccessPoint") -> None:
        """Look at the access point's signal from now on: it fades."""

    def renew(self, access_point: "AccessPoint") -> None:
        """Ask the DHCP server again, soon; nothing for who has not got its address there."""


class AccessPoint:
    """One network. Attributes may be changed while boards use it; see `Air.add_access_point`."""

    def __init__(
        self,
        trace: Callable[..., None],
        ssid: bytes,
        lan: LocalNetwork,
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
    ):
        self._trace = trace
        self.ssid = ssid
        self.lan = lan
        if security is None:
            security = WPA2 if password else OPEN
        self.admission = Admission(security, password, wrong_password_reason, requires_pmf)
        self._channel = checked_channel(channel)
        self.signal = Signal(rssi)
        self.hidden = hidden
        if lan.is_new:
            lan.dhcp.delay_s = dhcp_s
        self.most_stations = 250
        self.out_of_range: set[str] = set()  # names of boards that cannot hear it
        given = None if bssid is None else checked_bssid(bssid)
        place = lan.enter()  # the last that can fail has been done
        self.bssid = given or bytes([2, 0x4D, 0x74 + place]) + lan.addresses.number.to_bytes(
            3, "big"
        )
        self.impairment = Impairment()  # delay, loss, bandwidth of whatever crosses it
        self.connections: set[Carried] = set()  # that it carries now
        self.owner = ""  # the board whose access point it is
        self.is_up = False  # whether anybody can hear it
        self.deaf_until = 0.0  # time.monotonic(): a board that scans does not serve its stations
        self.stations: list[Station] = []
        self._dead = DeadLinks()
        self.isolates = False  # stations reach the gateway, and not each other
        self.beyond_is_silent = False  # what lies behind the router never answers
        self._multicast_loss = 0.0

    @property
    def addresses(self) -> AddressRange:
        """The range of the network behind it."""
        return self.lan.addresses

    @property
    def dhcp(self) -> DHCPServer:
        """The DHCP server of the network behind it."""
        return self.lan.dhcp

    @property
    def dhcp_s(self) -> float | None:
        """The DHCP server's delay in seconds; None: nobody answers."""
        return self.lan.dhcp.delay_s

    @dhcp_s.setter
    def dhcp_s(self, value: float | None) -> None:
        """Raises AirError for less than 0."""
        self.lan.dhcp.delay_s = value

    @property
    def dns(self) -> NameServer:
        """The name server of the network behind it."""
        return self.lan.dns

    @property
    def captive(self) -> Captive | None:
        """The gateway that answers every connection in place of all others; None in an ordinary
        network."""
        return self.lan.captive

    @property
    def rssi(self) -> int:
        """The signal where the boards are, in dBm, now."""
        return self.signal.dbm

    @rssi.setter
    def rssi(self, dbm: int) -> None:
        """Too weak to be heard (below -97), it loses its stations. Raises AirError for what is
        no signal."""
        self.signal.set(dbm)
        if not self.signal.is_heard:
            self.disconnect_all()

    def fade(self, to: int, *, over_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Grow weaker or stronger, evenly, to so many dBm, in seconds of a clock; for a board in
        virtual time that is `board.clock.time`. Where it becomes too weak, stations lose it.
        Raises AirError for what is no signal, and for no time."""
        self.signal.fade(to, over_s, clock)
        for station in list(self.stations):
            station.signal_changes(self)

    @property
    def security(self) -> int:
        """The kind of security, as network.WLAN.SEC_… numbers them."""
        return self.admission.security

    @property
    def wrong_password_reason(self) -> int:
        """The driver's reason that a wrong password gets."""
        return self.admission.wrong_password_reason

    @wrong_password_reason.setter
    def wrong_password_reason(self, reason: int) -> None:
        """Raises AirError for what is no reason of the driver."""
        self.admission.wrong_password_reason = checked_reason(reason)

    @property
    def refuses_with(self) -> int | None:
        """The driver's reason that everyone gets who tries to join; None lets them in."""
        return self.admission.refuses_with

    @refuses_with.setter
    def refuses_with(self, reason: int | None) -> None:
        """Raises AirError for what is no reason of the driver."""
        self.admission.refuses_with = reason

    def refuse(self, reason: int, *, times: int | None = None, board: str | None = None) -> None:
        """Refuse the next so many attempts to join, of everyone or of the board of that name.

        `reason` is the driver's, 1 to 255; `times` None is until `let_in`. Several orders are
        used up one after the other. Raises AirError for other values.
        """
        self.admission.refuse(reason, times, board)

    def let_in(self) -> None:
        """Take back every order to refuse, `refuses_with` too."""
        self.admission.forgive()

    @property
    def names(self) -> dict[str, Entry]:
        """The answers of its DNS server by name: an address, None for no such name, or more, see
        `NameServer`."""
        return self.dns.names

    @property
    def network(self) -> str:
        """e.g. "127.81.3.0/24"."""
        return f"{self.addresses.prefix}0/24"

    @property
    def gateway(self) -> str:
        """e.g. "127.81.3.1"."""
        return self.lan.gateway

    @property
    def password(self) -> str | None:
        """The passphrase that lets stations in, None for an open network."""
        return self.admission.password

    @password.setter
    def password(self, value: str | None) -> None:
        """Throw every station out, and ask for this one from now on."""
        self.admission.password = value
        self._trace("", "password", ssid=self.ssid)
        self.disconnect_all()

    @property
    def channel(self) -> int:
        """The radio channel, 1 to 14."""
        return self._channel

    @channel.setter
    def channel(self, value: int) -> None:
        """Throw every station out and move. Raises AirError for a channel outside 1 to 14."""
        self.tune(checked_channel(value))
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
        self.ssid = ssid
        self.admission.password, self.admission.security = password, security
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

    def throw_out(self, board: str | None = None, *, reason: int = REASON_BEACON_TIMEOUT) -> None:
        """Deauthenticate everyone, or one board, with a reason of the driver; they may try again.
        Raises AirError for what is no reason."""
        checked_reason(reason)
        for station in list(self.stations):
            if board in (None, station.name):
                station.lost(self, reason)

    def disconnect_all(self) -> None:
        """Throw every station out; they may try again."""
        for station in list(self.stations):
            station.lost(self)

    def serve_time(self, unix: float, names: tuple[str, ...] = ("pool.ntp.org",)) -> TimeServer:
        """Answer NTP queries at the gateway, known by some names, with a time that is set."""
        return self.lan.serve_time(unix, names)

    def hold_captive(self, page: bytes = b"<h1>Please log in</h1>", status: int = 200) -> Captive:
        """Answer every name with the gateway, and every connection with a page."""
        return self.lan.hold_captive(page, status)

    def release_captive(self) -> None:
        """Be an ordinary network again, as after somebody has logged in."""
        self.lan.release_captive()

    def close(self) -> None:
        """Leave the network behind it, which ends with its last access point."""
        self.lan.leave()

    def cut(self, *, silently: bool = False) -> None:
        """End every connection that it carries now, with a reset or without a word."""
        self._trace("", "cut", ssid=self.ssid, connections=len(self.connections))
        for connection in list(self.connections):
            connection.cut(silently)

    def renew(self, board: str | None = None, *, renumber: bool = False) -> None:
        """Let the lease of everyone, or of one board, come up for renewal now.

        With `renumber` the server gives another address, at which a board's connections end; with
        `dhcp.naks` it refuses, and the board begins anew.
        """
        for station in list(self.stations):
            if board in (None, station.name):
                if renumber:
                    self.dhcp.renumber(station.name)
                station.renew(self)

    def go_dead(
        self,
        *,
        until: Cure | None = "association",
        gateway_answers: bool = False,
        board: str | None = None,
    ) -> tuple[str, ...]:
        """Let everyone who is joined, or one board, stay so with nothing passing any more.

        It ends for each with its next `until`: "association", "radio" (an association after the
        radio was off), "restart" (of the chip), each of which includes those after it; None is
        until `revive`. With `gateway_answers` the router itself still answers: names, and TCP on
        its ports 53, 80 and 443. Who is not joined is not struck. Returns the names of those who
        are. Raises AirError for another `until`.
        """
        joined = [s.name for s in list(self.stations) if board in (None, s.name)]
        struck = self._dead.begin(joined, until, gateway_answers)
        self._trace("", "dead", ssid=self.ssid, boards=struck)
        return struck

    def revive(self, board: str | None = None) -> None:
        """Let everything pass again, for everyone or for one board."""
        self._dead.end(board)

    def associated(self, station: str, after: Cure) -> None:
        """Tell it that a station has associated, and what that had done before."""
        self._dead.treated(station, after)

    def carries(self, station: str, address: str, port: int) -> bool:
        """Tell whether frames between a station and somebody's port are carried now."""
        is_gateway = address == self.gateway
        if self.isolates and not is_gateway and self._is_a_station(address):
            return False
        return self._dead.carries(station, is_gateway, port)

    @property
    def multicast_loss(self) -> float:
        """The share of what is sent to a group, as mDNS is, that is lost here; 1.0 is all."""
        return self._multicast_loss

    @multicast_loss.setter
    def multicast_loss(self, share: float) -> None:
        """Raises AirError for anything but 0 to 1."""
        if not isinstance(share, (int, float)) or not 0 <= share <= 1:
            raise AirError(f"a share that is lost is 0 to 1, not {share!r}")
        self._multicast_loss = share

    def carries_group(self, station: str) -> bool:
        """Tell whether a group hears what a station sends to it now; each call is one frame."""
        if not self._dead.carries(station, False, 0):
            return False
        return self.impairment.random.random() >= self._multicast_loss

    def _is_a_station(self, address: str) -> bool:
        return any(station.address == address for station in list(self.stations))

    def mismatch(self, key: bytes, lacks: frozenset[str] = frozenset()) -> int | None:
        """Tell why a station that scans for it passes it over, as a driver's reason; or None."""
        return self.admission.mismatch(self.ssid, key, lacks)

    def check(self, key: bytes, station: str) -> int | None:
        """Judge a station's attempt to join: None is welcome, else the driver's reason."""
        is_full = len(self.stations) >= self.most_stations
        return self.admission.refusal(self.ssid, key, station, is_full)

    def why(self, reason: int) -> str:
        """Put a refusal into words, with what to try."""
        return self.admission.why(reason, len(self.stations))
