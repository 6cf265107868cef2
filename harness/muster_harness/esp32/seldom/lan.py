# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Ethernet of one board: `network.LAN`, at the end of a cable that a test plugs.

After ports/esp32/network_lan.c at 1c3c201149. It outlives a soft reset, as the port's object does.
"""

from typing import Any

from muster_harness.air.access_point import AccessPoint
from muster_harness.air.dhcp_server import NOWHERE, Lease
from muster_harness.control import Refusal
from muster_harness.errors import AirError
from muster_harness.esp32.board import Board
from muster_harness.loop import Timer

_INITIALIZED, _STARTED, _STOPPED, _CONNECTED, _DISCONNECTED, _GOT_IP = range(6)
_LINK = 3  # of shims/host_link.py
_AUTONEGOTIATION_S = 0.02  # seconds on a board
_LATER_S = 0.5


class LAN:
    """Answers `["lan", verb, ...]`."""

    def __init__(self, board: Board):
        self._board = board
        mac = board.mac
        self._factory = mac[:5] + bytes([mac[5] + 3 & 0xFF])
        self._step: Timer | None = None
        self._forget()
        board.wlan.wired = board.resolver.wired = self.network
        board.air.cables.listen(board.name, lambda: board.loop.post(self._look))

    def _forget(self) -> None:
        self._is_active = False
        self._status = _INITIALIZED
        self._network: AccessPoint | None = None
        self._lease: Lease | None = None
        self._static: Lease | None = None
        self._mac = self._factory

    def run_begins(self) -> None:
        """A new program has to know of the link that is there."""
        if self._lease is not None:
            self._board.link_changed(_LINK, self._lease.address)

    def run_ends(self) -> None:
        """Do nothing: the driver goes on."""

    def chip_stops(self) -> None:
        """Begin anew, as after power-on."""
        self._down()
        self._forget()

    def close(self) -> None:
        self.chip_stops()
        self._board.air.cables.listen(self._board.name, None)

    def network(self) -> tuple[AccessPoint, str] | None:
        """Return the network that the cable leads to, and the own address there."""
        if self._network is None or self._lease is None:
            return None
        return self._network, self._lease.address

    # -- the cable

    def _look(self) -> None:
        there = self._board.air.cables.network_of(self._board.name) if self._is_active else None
        if there is self._network:
            return
        self._down()
        self._network = there
        if there is not None:
            self._after(_AUTONEGOTIATION_S, self._connected)
        elif self._is_active:
            self._status = _DISCONNECTED

    def _connected(self) -> None:
        self._status = _CONNECTED
        network = self._network
        if self._static is not None:
            self._up(self._static)
        elif network is not None and network.dhcp.delay_s is not None:
            self._after(network.dhcp.delay_s, self._requested)
        else:
            self._after(_LATER_S, self._connected)  # lwIP asks for ever

    def _requested(self) -> None:
        if self._network is None:
            return
        try:
            lease = self._network.dhcp.reply(f"{self._board.name} by cable")
        except AirError:  # no address is left: nobody answers
            lease = None
        if lease is None:
            self._after(_LATER_S, self._connected)
        else:
            self._up(lease)

    def _up(self, lease: Lease) -> None:
        self._lease = lease
        self._status = _GOT_IP
        self._board.air.trace_event(self._board.name, "cable", address=lease.address)
        self._board.link_changed(_LINK, lease.address)

    def _down(self) -> None:
        if self._step is not None:
            self._step.cancel()
            self._step = None
        if self._lease is not None:
            self._lease = None
            self._board.link_changed(_LINK, None)
        self._network = None

    def _after(self, delay_s: float, function: Any) -> None:
        self._step = self._board.clock.later(delay_s, function)

    # -- the class

    def ask(self, verb: str, *arguments: Any) -> Any:
        """Do what a method of the board's LAN object asks. Raises Refusal as the port does."""
        return getattr(self, f"_ask_{verb}")(*arguments)

    def _ask_active(self, is_active: bool | None = None) -> bool:
        if is_active is not None and is_active != self._is_active:
            self._is_active = is_active
            self._status = _STARTED if is_active else _STOPPED
            self._look()
        return self._is_active

    def _ask_status(self) -> int:
        return self._status

    def _ask_isconnected(self) -> bool:
        return self._is_active and self._status == _GOT_IP

    def _ask_mac(self, mac: str | None = None) -> str:
        if mac is not None:
            if bytes.fromhex(mac)[0] & 1:
                raise Refusal("OSError", "failed setting MAC address")
            self._mac = bytes.fromhex(mac)
        return self._mac.hex()

    def _ask_ifconfig(self) -> tuple[str, str, str, str]:
        lease = self._lease
        if lease is None:
            return (NOWHERE,) * 4
        return lease.address, lease.netmask, lease.router, lease.dns

    def _ask_set_ifconfig(self, config: list[str] | None) -> None:
        """Take an address of one's own, or (None) one from DHCP again."""
        self._static = None if config is None else Lease(*config)
        network, self._network = self._network, None
        if network is not None:
            self._look()
