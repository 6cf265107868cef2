# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Nonces that keep a restored backup from believing recorded messages: none outlives the process.

A backup holds the nonces of its day, and a message that echoed one of them since then has been
recorded, perhaps, by somebody on the network. So a device is told a nonce that is made from the
stored one and a key that is never stored: whatever is restored, it is restored into another epoch.
"""

import hmac
import secrets
from base64 import urlsafe_b64encode

_KEY_BYTES = 32
_NONCE_BYTES = 12


class Epoch:
    """The time from one start of the server to the next."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(_KEY_BYTES)

    def told(self, nonce: str) -> str:
        """Return what a device is told in place of a stored nonce: 96 bits as text."""
        made = hmac.digest(self._key, nonce.encode(), "sha256")
        return urlsafe_b64encode(made[:_NONCE_BYTES]).decode()
