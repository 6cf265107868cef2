# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Slows down whoever guesses passwords or codes: each failure makes the next try wait longer.

Failures are in the portal's database: many processes, or a start, allow no more guesses than one.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from muster_server.errors import TooManyRequests
from muster_server.store.people import PeopleStore
from muster_server.store.tries import TryRecords

FREE_TRIES = 5
# Whoever goes on failing in a person's name keeps a password out where that person is not signed
# in, and no passkey.
LONGEST_WAIT_S = 60.0
_FORGOTTEN_S = 3600.0


class Throttle:
    """Failures by key, e.g. by name and by address. `clock` is in Unix seconds."""

    def __init__(self, store: PeopleStore, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock

    @contextmanager
    def trying(self, who: str, address: str) -> Iterator[None]:
        """Let somebody try in the block: if it raises, that is a failure of both.

        Raises TooManyRequests, without running the block, while one of them has to wait. A try
        counts from its start, so that many at once are no way around. Success clears `who`, and
        not the address: a stranger's own account does not buy more guesses at others.
        """
        now = self._clock()
        with self._store.transaction() as records:
            tries = records.tries
            wait_s = max(_wait_s(tries, key, now) for key in (who, address))
            before = tries.failures(address)
            if wait_s <= 0:
                for key in (who, address):
                    tries.count(key, now, now - _FORGOTTEN_S)
        if wait_s > 0:
            raise TooManyRequests("too many tries", retry_s=math.ceil(wait_s))
        yield
        with self._store.transaction() as records:
            records.tries.clear(who)
            records.tries.take_back(address, before)


def _wait_s(tries: TryRecords, key: str, now: float) -> float:
    failures = tries.failures(key)
    if failures.at > now:
        tries.set_right(key, now)
    over = failures.count - FREE_TRIES
    if over < 0 or now - failures.at > _FORGOTTEN_S:
        return 0.0
    return min(failures.at, now) + min(LONGEST_WAIT_S, 2.0**over) - now
