# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""How often an address or a device may ask: token buckets in a bounded table."""

import math
import threading
from collections import OrderedDict
from collections.abc import Callable

from muster_server.errors import TooManyRequests

_MOST_BUCKETS = 4096


class RateLimit:
    """Lets each key do `burst` things at once and `per_s` a second in the long run.

    Holds at most 4096 keys; the one that was quiet longest is forgotten first.
    """

    def __init__(self, burst: int, per_s: float, monotonic: Callable[[], float]) -> None:
        self._burst = burst
        self._per_s = per_s
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
