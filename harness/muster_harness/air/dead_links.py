# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Links that look alive: the station is joined and has its address, and nothing passes."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from muster_harness.errors import AirError

# What heals a dead link. Each of them does what those before it do, and more.
Cure = Literal["association", "radio", "restart"]
_CURES = get_args(Cure)
_GATEWAYS_OWN = (53, 67, 80, 443)  # the ports of a home router itself: names, leases, its pages


@dataclass(frozen=True)
class _Dead:
    until: Cure | None
    gateway_answers: bool


class DeadLinks:
    """The stations of one access point that are cut off, and what heals each."""

    def __init__(self) -> None:
        self._dead: dict[str, _Dead] = {}

    def begin(
        self, stations: Iterable[str], until: Cure | None, gateway_answers: bool
    ) -> tuple[str, ...]:
        """Cut stations off, by their names, and return them. Raises AirError for a cure that
        there is not."""
        if until is not None and until not in _CURES:
            raise AirError(f"a dead link lives again with {', '.join(_CURES)}, not {until!r}")
        struck = tuple(stations)
        self._dead.update(dict.fromkeys(struck, _Dead(until, bool(gateway_answers))))
        return struck

    def end(self, station: str | None = None) -> None:
        """Let one station's frames pass again, or everyone's."""
        if station is None:
            self._dead.clear()
        else:
            self._dead.pop(station, None)

    def treated(self, station: str, with_: Cure) -> None:
        """Tell that a station has associated anew, and what it had done before."""
        dead = self._dead.get(station)
        if dead is not None and dead.until and _CURES.index(with_) >= _CURES.index(dead.until):
            del self._dead[station]

    def carries(self, station: str, is_gateway: bool, port: int) -> bool:
        """Tell whether a frame between a station and somebody's port is carried."""
        dead = self._dead.get(station)
        if dead is None:
            return True
        return dead.gateway_answers and is_gateway and port in _GATEWAYS_OWN
