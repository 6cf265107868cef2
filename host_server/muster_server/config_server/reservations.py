# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Accounts for the next claims, written down many at a time.

Whoever asks a platform for an account has written down which one, for the answer may not come. In
the lane, where a batch of claims is committed together, to do so for each claim would commit for
each. So some accounts are written down beforehand. The platform's part of a batch is committed
first: if the server ends before the claims are, too, their accounts are reserved still, and the
next claim that gets one gets a new token for it.
"""

import secrets
from collections import deque

from muster_server import lane
from muster_server.config_server.platform_adapter import new_originator
from muster_server.store.config import ConfigStore, Records
from muster_server.store.reserved_accounts import Reserved

_AT_ONCE = 64


class Reservations:
    """Accounts that are written down, and nobody's. Only the lane, one thread, has any: outside of
    it each transaction is on the disk when it has ended.
    """

    def __init__(self, store: ConfigStore) -> None:
        self._store = store
        self._free: deque[Reserved] = deque()
        self._is_begun = False

    def stock(self) -> None:
        """See to it that there is one, if this is the lane. To be called outside of transactions.

        Raises the HostError of a database that does not take it.
        """
        if lane.batch() is None or self._free:
            return
        with self._store.transaction() as records:
            # Of the first time: those that were left when the server ended.
            free = [] if self._is_begun else records.reserved.all()
            if not free:
                free = [_new() for _ in range(_AT_ONCE)]
                records.reserved.add(free)
        lane.settle()
        self._is_begun = True
        self._free.extend(free)

    def take(self, records: Records) -> Reserved | None:
        """Return one, which is not reserved any more if this transaction is kept; else None."""
        taken = self.lent()
        if taken is not None:
            records.reserved.use(taken)
        return taken

    def lent(self) -> Reserved | None:
        """Return one, which is written down until its caller says that it is used; else None."""
        return self._free.popleft() if lane.batch() is not None and self._free else None

    def give_back(self, lent: Reserved) -> None:
        """Have the next claim get it, whether or not the platform was asked for it."""
        self._free.appendleft(lent)


def _new() -> Reserved:
    return Reserved(new_originator(), secrets.token_hex(8))
