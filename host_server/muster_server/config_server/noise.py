# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The host's side of a sync exchange: the responder of Noise NNpsk0 (revision 34), for many keys.

One message is tried with several keys, and nothing of a library's general state machine can be
shared between them. Here whatever no key changes is done once. Primitives are those of
`cryptography`; the published vectors and noiseprotocol, as the other side, hold it to the text.
"""

from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

PROTOCOL = b"Noise_NNpsk0_25519_ChaChaPoly_SHA256"
_KEY_BYTES, _TAG_BYTES = 32, 16
# An ephemeral key and a tag: nothing shorter can be a message.
SHORTEST_BYTES = _KEY_BYTES + _TAG_BYTES

_START = sha256(PROTOCOL).digest()  # the name is longer than a hash, so it is hashed (5.2)
_SHA256 = SHA256()
_FIRST = bytes(12)  # the nonce, 0: each of the two keys encrypts one payload


def prologue(device_id: str, k: str) -> bytes:
    """Return what both sides say beforehand: whose exchange it is, and under which key."""
    return f"muster/1/{device_id}/{k}".encode()


class Exchange:
    """Message 1 as it came, for whoever has a key that may fit it."""

    def __init__(self, prologue: bytes, message: bytes) -> None:
        """A message shorter than SHORTEST_BYTES fits no key."""
        self._remote, self._sealed = message[:_KEY_BYTES], message[_KEY_BYTES:]
        self._hash = sha256(_START + prologue).digest()

    def opened(self, psk: bytes) -> "Opened | None":
        """Return it with the report in it; None if it was not made with this key, for this
        prologue.
        """
        # -> psk, e
        chaining_key, mixed = _mixed(_START, psk)
        digest = sha256(sha256(self._hash + mixed).digest() + self._remote).digest()
        chaining_key, key = _mixed(chaining_key, self._remote)
        try:
            report = ChaCha20Poly1305(key).decrypt(_FIRST, self._sealed, digest)
        except InvalidTag:
            return None
        digest = sha256(digest + self._sealed).digest()
        return Opened(report, self._remote, chaining_key, digest)


@dataclass(frozen=True)
class Opened:
    """A message 1 that was opened with the key that made it, to be answered once."""

    report: bytes = field(repr=False)
    _remote: bytes = field(repr=False)
    _chaining_key: bytes = field(repr=False)
    _hash: bytes = field(repr=False)

    def answered(self, directive: bytes) -> bytes | None:
        """Message 2; None if message 1's ephemeral key is one that no honest device draws."""
        # <- e, ee
        own = _drawn()
        ephemeral = own.public_key().public_bytes_raw()
        try:
            shared = own.exchange(X25519PublicKey.from_public_bytes(self._remote))
        except ValueError:
            return None  # all zeros
        digest = sha256(self._hash + ephemeral).digest()
        chaining_key, _ = _mixed(self._chaining_key, ephemeral)
        _, key = _mixed(chaining_key, shared)
        return ephemeral + ChaCha20Poly1305(key).encrypt(_FIRST, directive, digest)


def _drawn() -> X25519PrivateKey:
    """An ephemeral key, for one exchange."""
    return X25519PrivateKey.generate()


def _mixed(chaining_key: bytes, material: bytes) -> tuple[bytes, bytes]:
    """Return the next chaining key, and the output beside it.

    Noise's HKDF (4.3) is that of RFC 5869 without info. MixKeyAndHash takes a third output, a key
    with which NNpsk0 encrypts nothing: MixKey of `e` replaces it.
    """
    made = HKDF(_SHA256, 2 * _KEY_BYTES, chaining_key, None).derive(material)
    return made[:_KEY_BYTES], made[_KEY_BYTES:]
