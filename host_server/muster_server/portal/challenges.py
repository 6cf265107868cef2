# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Challenges that authenticators sign: each is good once, for minutes, and for one purpose.

Nothing is kept of one that is given out, so that nobody can fill a database by asking for many;
only those that were used are remembered, until their time is over.
"""

import hashlib
import hmac
import secrets
import struct
import time
from collections.abc import Callable

from muster_server.store.people import PeopleStore

LIFE_S = 900.0
_NONCE_BYTES = 16
_END = struct.Struct(">Q")


class Challenges:
    """Makes challenges and knows its own again. They end with the process; where several share a
    store, with a crash of the database.
    """

    def __init__(self, store: PeopleStore, clock: Callable[[], float] = time.time) -> None:
        """`clock` is in Unix seconds."""
        self._store = store
        self._clock = clock
        self._own_key = secrets.token_bytes(32)

    def make(self, purpose: str) -> bytes:
        """Return a new one, e.g. for "sign in"."""
        end = int(self._clock() + LIFE_S)
        body = secrets.token_bytes(_NONCE_BYTES) + _END.pack(end)
        return body + self._mark(purpose, body)

    def take(self, challenge: bytes, purpose: str) -> bool:
        """Use a challenge up; False if it is none for this, was used before, or is too old."""
        size = _NONCE_BYTES + _END.size
        body, mark = challenge[:size], challenge[size:]
        if len(body) < size or not hmac.compare_digest(mark, self._mark(purpose, body)):
            return False
        now, end = self._clock(), float(_END.unpack(body[_NONCE_BYTES:])[0])
        if end < now:
            return False
        with self._store.transaction() as records:
            return records.tries.use_challenge(body, end, now)

    def _mark(self, purpose: str, body: bytes) -> bytes:
        key = self._store.shared_secret() or self._own_key
        return hmac.digest(key, purpose.encode() + b"\0" + body, hashlib.sha256)
