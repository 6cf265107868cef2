# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Limits of how often an address or a device may ask: token buckets in a bounded table."""

import math
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from muster_server.errors import TooManyRequests

_MOST_BUCKETS = 4096


class Rate(NamedTuple):
    """A rate: so many requests at once, and so many a second in the long run."""

    burst: int
    per_s: float


# docs/protocol.md shows them; tests/test_figures.py compares.
BY_ADDRESS = Rate(60, 10.0)
# By device and address, so that nobody takes a device's share from elsewhere; and apart for
# messages that came before, which everybody who has heard one can send.
BY_DEVICE = Rate(20, 1.0)
BY_REPLAYED = Rate(5, 0.2)
# A receipt has 40 bits. At this rate a guess takes a million years.
RECEIPTS = Rate(10, 1 / 60)
SYNCS_AT_ONCE = 32
SYNCS_WAITING = 512  # for one of these places; who comes then is told to come again
BUSY_RETRY_S = 2


class RateLimit:
    """A token bucket for each key, e.g. for each address.

    Holds at most 4096 keys; the one that was quiet longest is forgotten first.
    """

    def __init__(self, rate: Rate, monotonic: Callable[[], float]) -> None:
        self._burst, self._per_s = rate
        self._monotonic = monotonic
        self._lock = threading.Lock()
        # key -> (how much is left, when that was so)
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str) -> None:
        """Use one up; TooManyRequests says when there will be another."""
        now = self._monotonic()
        with self._lock:
            left, since = self._buckets.pop(key, (float(self._burst), now))
            left = min(float(self._burst), left + (now - since) * self._per_s)
            is_enough = left >= 1
            self._buckets[key] = (left - is_enough, now)
            if len(self._buckets) > _MOST_BUCKETS:
                self._buckets.popitem(last=False)
        if not is_enough:
            wait_s = math.ceil((1 - left) / self._per_s)
            raise TooManyRequests("slow down", retry_s=max(1, wait_s))
