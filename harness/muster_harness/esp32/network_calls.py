# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Answers what the board's program asks of its network: a method for each verb of the channel."""

from typing import Any

from muster_harness.air.access_point import AccessPoint
from muster_harness.air.address_range import host_port
from muster_harness.air.dhcp_server import NOWHERE
from muster_harness.control import Refusal
from muster_harness.esp32.board import Board

_FIRST_OF_GROUPS = 224
BOARD_UNREACHABLE = 118  # EHOSTUNREACH on the ESP32


class NetworkCalls:
    """The verbs of Wi-Fi, connections, datagrams and names."""

    def __init__(self, board: Board):
        self._board = board

    def _wlan(self, interface: int, verb: str, *arguments: Any) -> Any:
        board = self._board
        if verb == "open":
            board.idf_heap.python_uses(*arguments)
            if not board.idf_heap.wifi_begins():
                raise Refusal("OSError", "WiFi Out of Memory")
            arguments = ()
        answer = board.wlan.ask(interface, verb, *arguments)
        if verb == "active":
            board.follow_radio()
        return answer

    def _network(self, what: str, *value: str) -> str | None:
        return self._board.wlan.network(what, *value)

    def _connect(self, address: str, port: int) -> tuple[int, str, int]:
        board = self._board
        there = board.wlan.network_of(address) or self._way_beyond()
        if there is None:
            raise Refusal("OSError", BOARD_UNREACHABLE)
        network, own = there
        number = board.air.next_connection()
        board.air.trace_event(board.name, "connect", connection=number, address=address, port=port)
        target = network.captive.address if network.captive else (address, host_port(port))
        if board.air.on_connect is not None:
            target = board.air.on_connect(board.name, address, port) or target
        relay = board.tcp_relay.connect(number, network, own, (address, port), target)
        return number, *relay

    def _way_beyond(self) -> tuple[AccessPoint, str] | None:
        """The network whose router takes what is for elsewhere, and the board's address there."""
        radio = self._board.radio
        point, own = radio.joined, radio.address
        if point is None or own is None or radio.gateway == NOWHERE:
            return None
        return (point, own) if point.beyond_is_silent else None

    def _accept(self, address: str, port: int) -> int:
        number = self._board.air.next_connection()
        self._board.air.trace_event(
            self._board.name, "accept", connection=number, address=address, port=port
        )
        return number

    def _bytes(self, number: int, tx: int, rx: int) -> None:
        self._board.air.trace_event(self._board.name, "bytes", connection=number, tx=tx, rx=rx)

    def _close(self, number: int) -> None:
        self._board.air.trace_event(self._board.name, "close", connection=number)

    def _datagram(
        self, direction: str, address: str, port: int, size: int, own_port: int = 0
    ) -> list[int] | None:
        """Return when each copy of a datagram arrives, in ms from now; None is at once."""
        board = self._board
        told = {"way": direction, "address": address, "port": port, "own_port": own_port}
        board.air.trace_event(board.name, "datagram", bytes=size, **told)
        there = board.wlan.network_of(address)
        network = there[0] if there else board.radio.joined
        if network is None:
            return None
        is_for_all = int(address.partition(".")[0]) >= _FIRST_OF_GROUPS
        if direction == "tx" and there is None and not is_for_all:
            if address in network.addresses or self._way_beyond() is None:
                raise Refusal("OSError", BOARD_UNREACHABLE)
            return []
        if not network.carries(board.name, address, port):
            return []
        fate = board.air.messages.judge(
            board.name, network.ssid, "udp", direction, address, port, size
        )
        impairment = network.impairment
        copies = [0 for _ in range(fate.copies) if not impairment.loses()]
        wait_ms = int(1000 * (impairment.transit_s(size, direction) + fate.delay_s))
        return None if copies == [0] and not wait_ms else [wait_ms for _ in copies]

    def _mdns(self, source_port: int, query: str) -> None:
        self._board.mdns.relay(bytes.fromhex(query), source_port)

    def _resolve(self, name: str) -> Any:
        return self._board.resolver.resolve(name)
