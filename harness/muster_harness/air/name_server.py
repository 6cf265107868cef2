# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The DNS server of one network, as honest, talkative and quick as the script wants it."""

import ipaddress
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from muster_harness.errors import AirError

Rcode = Literal["ok", "nxdomain", "servfail", "refused"]
_RCODES = get_args(Rcode)


@dataclass
class Record:
    """The server's words on one name; attributes may be changed while boards ask.

    `a` and `aaaa` are its addresses, in the order in which they are told: an ESP32 takes the first
    of `a`, and has none of a name that has `aaaa` only. `ttl_s` is how long a board may go by it
    without asking again. The first `silent_lookups` get no answer. `rotates` tells the addresses
    of `a` in another order each time. Another `rcode` than "ok" is told instead of addresses.
    Raises AirError for what cannot be.
    """

    a: Sequence[str] = ()
    aaaa: Sequence[str] = ()
    ttl_s: float = 0.0
    silent_lookups: int = 0
    rotates: bool = False
    rcode: Rcode = "ok"

    def __post_init__(self) -> None:
        for name, kind in (("a", ipaddress.IPv4Address), ("aaaa", ipaddress.IPv6Address)):
            addresses = getattr(self, name)
            if isinstance(addresses, str):
                raise AirError(f'`{name}` is several addresses, e.g. ("10.0.0.1",), not a text')
            for address in addresses:
                try:
                    kind(address)
                except ValueError:
                    raise AirError(f"{address!r} is no address for `{name}`") from None
        if self.ttl_s < 0 or self.silent_lookups < 0:
            raise AirError("`ttl_s` and `silent_lookups` are 0 or more")
        if self.rcode not in _RCODES:
            raise AirError(f"an rcode is one of {', '.join(_RCODES)}, not {self.rcode!r}")


@dataclass(frozen=True)
class Answer:
    """An answer to a question for A records; no address for a name that has none."""

    address: str | None
    ttl_s: float


Entry = str | None | Sequence[str] | Record


class NameServer:
    """May be changed at any time.

    `names` maps a name to its address, to several, to a `Record`, or to None: there is no such
    name. `everything` is the address of all other names, as a captive network gives it.
    `is_silent` lets every question time out, after `patience_s`.
    """

    def __init__(self) -> None:
        self.names: dict[str, Entry] = {}
        self.everything: str | None = None
        self.is_silent = False
        self.patience_s = 5.0  # how long a board asks before it gives up
        self.asked: list[str] = []  # a name for each look-up of a board
        self._silent_lookups = 0
        self._silent_until = 0.0
        self._clock: Callable[[], float] = time.monotonic

    def be_silent(
        self,
        *,
        lookups: int | None = None,
        for_s: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Answer nobody for so many look-ups, or for so long by a clock in seconds.

        A board repeats its question within one look-up, so a silence shorter than its patience
        only delays it. Raises AirError unless one of the two is given, and positive.
        """
        given = [value for value in (lookups, for_s) if value is not None]
        if len(given) != 1 or given[0] <= 0:
            raise AirError("be_silent(lookups=2) or be_silent(for_s=3.0): one, and more than 0")
        if lookups is not None:
            self._silent_lookups = lookups
        else:
            self._clock, self._silent_until = clock, clock() + (for_s or 0.0)

    def knows(self, name: str) -> bool:
        """Tell whether the script has named a name."""
        return name.lower() in self._lower()

    def begins(self, name: str) -> bool:
        """Take note of a board's look-up, and tell whether it will ever be answered."""
        self.asked.append(name)
        if self._silent_lookups > 0:
            self._silent_lookups -= 1
            return False
        record = self._record(name)
        if record.silent_lookups > 0:
            record.silent_lookups -= 1
            return False
        return True

    @property
    def is_silent_now(self) -> bool:
        """True if a question that arrives now gets no answer."""
        return self.is_silent or self._clock() < self._silent_until

    def answer(self, name: str) -> Answer:
        """Answer one question for the A records of a name."""
        record = self._record(name)
        if record.rcode != "ok" or not record.a:
            return Answer(None, 0.0)
        first, *others = record.a
        if record.rotates:
            record.a = (*others, first)
        return Answer(first, record.ttl_s)

    def _record(self, name: str) -> Record:
        entry = self._lower().get(name.lower(), self.everything)
        if isinstance(entry, Record):
            return entry
        if entry is None:
            return Record(rcode="nxdomain")
        return Record(a=(entry,) if isinstance(entry, str) else entry)

    def _lower(self) -> dict[str, Entry]:
        return {name.lower(): entry for name, entry in self.names.items()}
