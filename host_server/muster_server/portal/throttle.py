# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Slows down whoever guesses passwords or codes: each failure makes the next try wait longer."""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from muster_server.errors import TooManyRequests

FREE_TRIES = 5
# Short enough that nobody can lock a person out of their account by failing in their name.
LONGEST_WAIT_S = 60.0
_FORGOTTEN_S = 3600.0
_MOST_KEYS = 4096


class Throttle:
    """Failures by key, e.g. by name and by address; it forgets the one quiet longest first."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        # key -> (failures, when the newest was)
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()

    @contextmanager
    def trying(self, who: str, address: str) -> Iterator[None]:
        """Let somebody try in the block: if it raises, that is a failure of both.

        Raises TooManyRequests, without running the block, while one of them has to wait. A try
        counts from its start, so that many at once are no way around. Success clears `who`, and
        not the address: a stranger's own account does not buy more guesses at others.
        """
        with self._lock:
            wait_s = max(self._wait_s(who), self._wait_s(address))
            if wait_s > 0:
                raise TooManyRequests("too many tries", retry_s=math.ceil(wait_s))
            before = self._failures.get(address)
            self._count(who)
            self._count(address)
        yield
        with self._lock:
            self._failures.pop(who, None)
            self._failures.pop(address, None)
            if before is not None:
                self._failures[address] = before

    def _wait_s(self, key: str) -> float:
        count, at = self._failures.get(key, (0, 0.0))
        over = count - FREE_TRIES
        if over < 0:
            return 0.0
        return at + min(LONGEST_WAIT_S, 2.0**over) - self._monotonic()

    def _count(self, key: str) -> None:
        now = self._monotonic()
        count, at = self._failures.pop(key, (0, now))
        self._failures[key] = (1 if now - at > _FORGOTTEN_S else count + 1, now)
        if len(self._failures) > _MOST_KEYS:
            self._failures.popitem(last=False)
