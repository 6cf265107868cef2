# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The DHCP server (RFC 2131) of one network, as odd as the script wants it."""

import ipaddress
from dataclasses import dataclass

from muster_harness.air.address_range import AddressRange
from muster_harness.errors import AirError

_LAST_HOST = 251  # .252 and up stay free for servers of a test
NOWHERE = "0.0.0.0"  # noqa: S104 (what a board shows where it has no address, no listener)


@dataclass(frozen=True)
class Lease:
    """The terms that a station is given. `router` and `dns` are "0.0.0.0" if there is none."""

    address: str
    netmask: str
    router: str
    dns: str


class DHCPServer:
    """Gives each station, by its name, the same address again. May be changed at any time; holds
    from the next request on. A value that cannot be is an AirError."""

    def __init__(self, addresses: AddressRange):
        self._addresses = addresses
        self._gateway = f"{addresses.prefix}1"
        self._delay_s: float | None = 0.02
        self._router: str | None = self._gateway
        self._dns: str | None = self._gateway
        self._prefix_length = 24
        self._naks = 0
        self._leases: dict[str, str] = {}
        self._next = 2

    @property
    def delay_s(self) -> float | None:
        """The time that an answer takes, in seconds; None: nobody answers."""
        return self._delay_s

    @delay_s.setter
    def delay_s(self, value: float | None) -> None:
        """Raises AirError for less than 0."""
        if value is not None and (not isinstance(value, (int, float)) or value < 0):
            raise AirError(f"a DHCP server answers after 0 s or more, or None, not {value!r}")
        self._delay_s = value

    @property
    def router(self) -> str | None:
        """The router that it names; None: none (option 3 is missing)."""
        return self._router

    @router.setter
    def router(self, value: str | None) -> None:
        """Raises AirError for what is no IPv4 address."""
        self._router = _checked_address(value)

    @property
    def dns(self) -> str | None:
        """The name server that it names; None: none (option 6 is missing)."""
        return self._dns

    @dns.setter
    def dns(self, value: str | None) -> None:
        """Raises AirError for what is no IPv4 address."""
        self._dns = _checked_address(value)

    @property
    def prefix_length(self) -> int:
        """The netmask's bits, e.g. 24; with 32 everything lies behind the router."""
        return self._prefix_length

    @prefix_length.setter
    def prefix_length(self, value: int) -> None:
        """Raises AirError for anything but 8 to 32."""
        if not isinstance(value, int) or not 8 <= value <= 32:
            raise AirError(f"a netmask has 8 to 32 bits, not {value!r}")
        self._prefix_length = value

    @property
    def naks(self) -> int:
        """The number of next requests that get a DHCPNAK; each begins anew with DISCOVER."""
        return self._naks

    @naks.setter
    def naks(self, value: int) -> None:
        """Raises AirError for less than 0."""
        if not isinstance(value, int) or value < 0:
            raise AirError(f"`naks` is how many requests are refused, 0 or more, not {value!r}")
        self._naks = value

    def address_of(self, station: str) -> str:
        """Return the address that a station has or will have.

        Raises AirError if none is left.
        """
        if station not in self._leases:
            self._leases[station] = self._another()
        return self._leases[station]

    def renumber(self, station: str) -> str:
        """Give a station another address from its next request on, and return that.

        Raises AirError if none is left.
        """
        self._leases[station] = self._another()
        return self._leases[station]

    def reply(self, station: str) -> Lease | None:
        """Answer a request: a lease, or None for DHCPNAK. Raises AirError if no address is
        left."""
        if self._naks > 0:
            self._naks -= 1
            return None
        netmask = str(ipaddress.ip_network(f"0.0.0.0/{self._prefix_length}").netmask)
        return Lease(
            self.address_of(station), netmask, self._router or NOWHERE, self._dns or NOWHERE
        )

    def _another(self) -> str:
        if self._next > _LAST_HOST:
            raise AirError("this network has no address left; use another access point")
        self._next += 1
        return f"{self._addresses.prefix}{self._next - 1}"


def _checked_address(value: str | None) -> str | None:
    try:
        return None if value is None else str(ipaddress.IPv4Address(value))
    except ValueError:
        raise AirError(f"{value!r} is no IPv4 address; None is for none") from None
