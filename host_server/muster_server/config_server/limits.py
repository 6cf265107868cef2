# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Limits of how often an address or a device may ask: token buckets in a bounded table.

Whoever is refused is told when to come again, each at another moment: a fleet that comes after a
power cut would otherwise come again as one.
"""

import math
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from muster_server.errors import TooManyRequests

_MOST_BUCKETS = 4096
_MOST_FAMILIAR = 65536
# So late at most is anybody told to come again: who asks too often, and who finds no place. The
# latter is as much as devices believe: whoever comes sooner than his turn is refused once more.
_LATEST_S, _LATEST_TURN_S = 120.0, 300.0


class Rate(NamedTuple):
    """A rate: so many requests at once, and so many a second in the long run."""

    burst: float
    per_s: float


# docs/protocol.md shows them; tests/test_figures.py compares.
BY_ADDRESS = Rate(60, 10.0)
# By device and address, so that nobody takes a device's share from elsewhere; and apart for
# messages that came before, which everybody who has heard one can send.
BY_DEVICE = Rate(20, 1.0)
BY_REPLAYED = Rate(5, 0.2)
# Messages that no key opened, from addresses at which no device was recognised yet, all together.
STRANGERS = Rate(200, 20.0)
# A receipt has 40 bits. At this rate a guess takes a million years.
RECEIPTS = Rate(10, 1 / 60)
SYNCS_AT_ONCE = 32
SYNCS_WAITING = 512  # for one of these places; who comes then is told to come again
BUSY_RETRY_S = 2


@dataclass(frozen=True)
class Limits:
    """The limits that the settings may change."""

    by_address: Rate = BY_ADDRESS
    by_device: Rate = BY_DEVICE
    strangers: Rate = STRANGERS
    at_once: int = SYNCS_AT_ONCE
    waiting: int = SYNCS_WAITING


class _Bucket(NamedTuple):
    left: float
    since: float  # when that was so
    told: float  # the moment at which the last one that was refused comes again


class RateLimit:
    """A token bucket for each key, e.g. for each address.

    Holds at most 4096 keys; the one that was quiet longest is forgotten first.
    """

    def __init__(self, rate: Rate, monotonic: Callable[[], float]) -> None:
        self._burst, self._per_s = rate
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, key: str) -> None:
        """Use one up; TooManyRequests says when there will be another, to each another one."""
        now = self._monotonic()
        with self._lock:
            bucket = self._filled(key, now)
            is_enough = bucket.left >= 1
            told = bucket.told
            if not is_enough:
                told = max(now + (1 - bucket.left) / self._per_s, told + 1 / self._per_s)
                told = min(told, now + _LATEST_S)
            self._keep(key, _Bucket(bucket.left - is_enough, now, told))
        if not is_enough:
            raise TooManyRequests("slow down", retry_s=max(1, math.ceil(told - now)))

    def check(self, key: str) -> None:
        """Use none up. TooManyRequests if there is none."""
        now = self._monotonic()
        with self._lock:
            is_enough = self._filled(key, now, is_kept=True).left >= 1
        if not is_enough:
            self.take(key)

    def _filled(self, key: str, now: float, *, is_kept: bool = False) -> _Bucket:
        bucket = self._buckets.get(key) if is_kept else self._buckets.pop(key, None)
        if bucket is None:
            return _Bucket(float(self._burst), now, 0.0)
        left = min(float(self._burst), bucket.left + (now - bucket.since) * self._per_s)
        return _Bucket(left, now, bucket.told)

    def _keep(self, key: str, bucket: _Bucket) -> None:
        self._buckets[key] = bucket
        if len(self._buckets) > _MOST_BUCKETS:
            self._buckets.popitem(last=False)


class Familiar:
    """Addresses from which a device was recognised, the newest of them.

    Not ids: whose place is kept would tell strangers which ids there are.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._addresses: OrderedDict[str, None] = OrderedDict()

    def add(self, address: str) -> None:
        """A device at this address has been recognised."""
        with self._lock:
            self._addresses.pop(address, None)
            self._addresses[address] = None
            if len(self._addresses) > _MOST_FAMILIAR:
                self._addresses.popitem(last=False)

    def __contains__(self, address: str) -> bool:
        return address in self._addresses


class Places:
    """Places to wait for a thread. Strangers fill a quarter; who finds none comes again."""

    def __init__(self, most: int, familiar: Familiar, monotonic: Callable[[], float]) -> None:
        self._most = most
        self._familiar = familiar
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._since, self._done = monotonic(), 0
        self._per_s = 100.0  # syncs, as it was lately; a guess at first
        self._told = 0.0

    def has_room(self, address: str, waiting: int) -> bool:
        """Tell whether who comes from there may wait beside those that wait already."""
        return waiting < (self._most if address in self._familiar else max(1, self._most // 4))

    def done(self) -> None:
        """One more has been answered."""
        now = self._monotonic()
        with self._lock:
            self._done += 1
            passed = now - self._since
            if passed >= 1:
                self._per_s = max(1.0, (self._per_s + self._done / passed) / 2)
                self._since, self._done = now, 0

    def retry_s(self, waiting: int) -> int:
        """Return when who is refused now comes again, by the rate at which this server answers."""
        now = self._monotonic()
        with self._lock:
            self._told = max(now + waiting / self._per_s, self._told + 1 / self._per_s)
            self._told = min(self._told, now + _LATEST_TURN_S)
            return max(BUSY_RETRY_S, math.ceil(self._told - now))
