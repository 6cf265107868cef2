# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The device's side of a sync exchange, in place of firmware: Noise NNpsk0, written out flat.

Noise Protocol Framework, revision 34, for this one pattern: what a general library does between
these lines costs more than the cryptography in them, which is that of `cryptography` and OpenSSL.
"""

import hmac
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

# The name is longer than a hash, so its hash is what both sides begin with (section 5.2).
_START = sha256(b"Noise_NNpsk0_25519_ChaChaPoly_SHA256").digest()
_KEY_BYTES, _TAG_BYTES = 32, 16
_NONCE = bytes(12)  # each key encrypts one message


class Initiator:
    """One exchange under one key: write message 1, then read message 2. Not for a second use."""

    __slots__ = ("_chaining_key", "_hash", "_own")

    def __init__(
        self, device_id: str, k: str, psk: bytes, own: X25519PrivateKey | None = None
    ) -> None:
        """`own` is the ephemeral key, drawn unless it is given."""
        self._own = X25519PrivateKey.generate() if own is None else own
        prologue = f"muster/1/{device_id}/{k}".encode()
        self._hash = sha256(_START + prologue).digest()
        self._chaining_key, mixed = _derived(_START, psk)
        self._mix(mixed)

    def write(self, report: bytes) -> bytes:
        """Return message 1 with this report: `psk, e, payload`."""
        public = self._own.public_key().public_bytes_raw()
        self._mix(public)
        self._chaining_key, key = _derived(self._chaining_key, public)
        sealed = ChaCha20Poly1305(key).encrypt(_NONCE, report, self._hash)
        self._mix(sealed)
        return public + sealed

    def read(self, message: bytes) -> bytes:
        """Return the directive in message 2: `e, ee, payload`.

        Raises ValueError if the key did not make it.
        """
        public, sealed = message[:_KEY_BYTES], message[_KEY_BYTES:]
        if len(sealed) < _TAG_BYTES:
            raise ValueError(f"message 2 has no more than {len(message)} bytes")
        self._mix(public)
        self._chaining_key, _ = _derived(self._chaining_key, public)
        try:
            shared = self._own.exchange(X25519PublicKey.from_public_bytes(public))
            _, key = _derived(self._chaining_key, shared)
            return ChaCha20Poly1305(key).decrypt(_NONCE, sealed, self._hash)
        except (InvalidTag, ValueError) as error:
            raise ValueError(f"message 2 does not open ({type(error).__name__})") from None

    def _mix(self, data: bytes) -> None:
        self._hash = sha256(self._hash + data).digest()


def _derived(chaining_key: bytes, material: bytes) -> tuple[bytes, bytes]:
    """Noise's HKDF (section 4.3), the first two outputs.

    The third would be the key after the pre-shared one is mixed in; `e` replaces it unused.
    """
    extracted = hmac.digest(chaining_key, material, "sha256")
    first = hmac.digest(extracted, b"\x01", "sha256")
    return first, hmac.digest(extracted, first + b"\x02", "sha256")
