# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""lwIP's search for the address of a name: it repeats its question and keeps what it hears.

Every failure is EAI_FAIL (-202), whether nobody answered or there is no such name; only the time
that it takes differs. Sources: lwIP's dns.c and netdb.c (lwip_getaddrinfo).
"""

from collections.abc import Callable
from dataclasses import dataclass

from muster_harness.air.access_point import AccessPoint
from muster_harness.air.dhcp_server import NOWHERE
from muster_harness.control import Later, Refusal
from muster_harness.esp32.parts.clock import BoardClock
from muster_harness.esp32.radio.driver import Radio
from muster_harness.esp32.radio.mdns_relay import MDNSRelay

_FAILED = -202
_TABLE = 4  # DNS_TABLE_SIZE
_REPEATED_AT = (0.0, 0.2, 0.4, 0.6, 0.8)  # shares of the patience
_PORT = 53


@dataclass(frozen=True)
class _Kept:
    address: str
    until_us: int


class Resolver:
    """One board's names. Everything runs in the board's loop."""

    def __init__(self, clock: BoardClock, radio: Radio, mdns: MDNSRelay):
        self._clock = clock
        self._radio = radio
        self._mdns = mdns
        self._table: dict[str, _Kept] = {}
        self.wired: Callable[[], tuple[AccessPoint, str] | None] = lambda: None  # by Ethernet

    def restart(self) -> None:
        """Forget what has been heard, as after power-on."""
        self._table.clear()

    def resolve(self, name: str) -> str | Later:
        """Return the address of a name, now or later. Raises Refusal, which is the OSError that
        getaddrinfo() raises."""
        wired = self.wired()
        point = self._radio.joined if self._radio.address is not None else None
        is_by_radio, point = point is not None, point or (wired[0] if wired else None)
        if point is None:
            raise Refusal("OSError", _FAILED)
        if name.lower().endswith(".local") and not point.dns.knows(name):
            return self._mdns.resolve(name)
        kept = self._table.get(name.lower())
        if kept is not None and kept.until_us > self._clock.now_us():
            return kept.address
        if is_by_radio and self._radio.dns == NOWHERE:
            raise Refusal("OSError", _FAILED)
        return _Lookup(self, name, point).begin()

    def hears(self, point: AccessPoint) -> bool:
        """Tell whether the network's name server can be asked now."""
        wired = self.wired()
        is_there = self._radio.joined is point or wired is not None and wired[0] is point
        return is_there and point.carries(self._radio.name, point.gateway, _PORT)

    def keep(self, name: str, address: str, ttl_s: float) -> None:
        """Go by an answer for so long; the table is small, and the oldest makes room."""
        if ttl_s <= 0:
            return
        self._table.pop(name.lower(), None)
        while len(self._table) >= _TABLE:
            del self._table[next(iter(self._table))]
        until_us = self._clock.now_us() + int(ttl_s * 1e6)
        self._table[name.lower()] = _Kept(address, until_us)

    def tell(self, name: str, address: str | None) -> None:
        """Let the trace know what has been asked and answered."""
        self._radio.air.trace_event(self._radio.name, "dns", name=name, address=address)

    def later(self, delay_s: float, look: "_Lookup") -> None:
        """Let a look-up ask again."""
        self._clock.later(delay_s, look.ask)


class _Lookup:
    """One getaddrinfo(), until it is answered or has asked often enough."""

    def __init__(self, resolver: Resolver, name: str, point: AccessPoint):
        self._resolver = resolver
        self._name = name
        self._point = point
        self._answer = Later()
        self._repeats = 0

    def begin(self) -> str | Later:
        server = self._point.dns
        is_answered = server.begins(self._name)
        there_and_back = 2 * self._point.impairment.transit_s(0, "tx")
        if not is_answered:
            self._repeats = len(_REPEATED_AT)
            self._resolver.later(server.patience_s, self)
        elif there_and_back == 0 and self._is_heard():
            address = self._take()
            if address is None:
                raise Refusal("OSError", _FAILED)
            return address
        else:
            self._resolver.later(there_and_back, self)
        return self._answer

    def ask(self) -> None:
        if self._repeats >= len(_REPEATED_AT):
            self._answer.refuse(Refusal("OSError", _FAILED))
        elif self._is_heard():
            address = self._take()
            if address is None:
                self._answer.refuse(Refusal("OSError", _FAILED))
            else:
                self._answer.give(address)
        else:
            self._repeats += 1
            step = _REPEATED_AT[1] * self._point.dns.patience_s
            self._resolver.later(step, self)

    def _is_heard(self) -> bool:
        return not self._point.dns.is_silent_now and self._resolver.hears(self._point)

    def _take(self) -> str | None:
        answer = self._point.dns.answer(self._name)
        self._resolver.tell(self._name, answer.address)
        if answer.address is not None:
            self._resolver.keep(self._name, answer.address, answer.ttl_s)
        return answer.address
