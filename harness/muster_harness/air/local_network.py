# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The network behind access points: addresses, and the servers that give and explain them.

Several access points may stand in front of one, as in a house with repeaters.
"""

from muster_harness.air.address_range import AddressRange
from muster_harness.air.captive import Captive
from muster_harness.air.dhcp_server import DHCPServer
from muster_harness.air.name_server import NameServer
from muster_harness.air.time_server import TimeServer


class LocalNetwork:
    """A 127.x.y.0/24 range, of which .1 is the gateway's; stations get addresses from .2 on."""

    def __init__(self, addresses: AddressRange):
        self.addresses = addresses
        self.dhcp = DHCPServer(addresses)
        self.dns = NameServer()
        self.captive: Captive | None = None  # who answers every connection in place of all others
        self._servers: list[Captive | TimeServer] = []
        self._access_points = 0

    @property
    def is_new(self) -> bool:
        """True while no access point stands in front of it."""
        return self._access_points == 0

    def enter(self) -> int:
        """Count one more access point in front of it, and return which one that is, from 1 on."""
        self._access_points += 1
        return self._access_points

    def leave(self) -> None:
        """Count one less; the last one ends its servers and gives its range back."""
        self._access_points -= 1
        if self._access_points > 0:
            return
        for server in self._servers:
            server.close()
        self._servers.clear()
        self.addresses.release()

    @property
    def gateway(self) -> str:
        """The address of the network itself, e.g. "127.81.3.1"."""
        return f"{self.addresses.prefix}1"

    def serve_time(self, unix: float, names: tuple[str, ...]) -> TimeServer:
        """Begin to answer NTP queries at the gateway, which those names then mean."""
        server = TimeServer(self.gateway, unix)
        self._servers.append(server)
        self.dns.names.update(dict.fromkeys(names, self.gateway))
        return server

    def hold_captive(self, page: bytes, status: int) -> Captive:
        """Begin to answer every name with the gateway, and every connection with a page."""
        self.captive = captive = Captive(self.gateway, page, status)
        self._servers.append(captive)
        self.dns.everything = self.gateway
        return captive

    def release_captive(self) -> None:
        """Answer as an ordinary network again."""
        self.captive = self.dns.everything = None
