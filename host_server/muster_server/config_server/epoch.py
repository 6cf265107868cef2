# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Nonces that keep a restored backup from believing recorded messages: none outlives the process.

A backup holds the nonces of its day, and a message that echoed one of them since then has been
recorded, perhaps, by somebody on the network. So a device is told a nonce that is made from the
stored one and a key that no backup holds: whatever is restored, it is restored into another epoch.
Where several processes answer the same devices, they have one key together.
"""

import hmac
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable

_KEY_BYTES = 32
_NONCE_BYTES = 12
_LOOK_S = 5.0


class Epoch:
    """The time from one start of the server to the next, or to the database's restoration."""

    def __init__(
        self,
        shared: Callable[[], bytes | None] = lambda: None,
        monotonic: Callable[[], float] = time.monotonic,
        *,
        news: Callable[[], int] = lambda: 0,
    ) -> None:
        """`shared` gives the key of all processes; None if there is one process. `news` gives
        another number when that may be another key, as after a crash of the database.
        """
        self._shared = shared
        self._news = news
        self._seen = news()
        self._monotonic = monotonic
        self._key = secrets.token_bytes(_KEY_BYTES)
        self._looked_at: float | None = None

    def refresh(self) -> None:
        """Look, now and then, which key all have. To be called outside of a transaction."""
        now = self._monotonic()
        is_fresh = self._looked_at is not None and now - self._looked_at < _LOOK_S
        if is_fresh and self._seen == self._news():
            return
        self._key = self._shared() or self._key
        self._looked_at, self._seen = now, self._news()

    def told(self, nonce: str) -> str:
        """Return what a device is told in place of a stored nonce: 96 bits as text."""
        made = hmac.digest(self._key, nonce.encode(), "sha256")
        return urlsafe_b64encode(made[:_NONCE_BYTES]).decode()
