# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The device's half of one Noise_NNpsk0_25519_ChaChaPoly_SHA256 handshake (Noise revision 34):
# it sends message 1 and reads message 2. What follows a handshake is not needed here.

import os
from hashlib import sha256

from micropython import const

from .errors import DeviceError
from .modules import borrowed, release

_KEY = const(32)
_TAG = const(16)
_TOOLS = const(("chacha", "hkdf"))
_NONCE = b"\0" * 12  # every key here encrypts one message


# Good for one exchange; then its keys are gone and hash names the session on both sides.
# ephemeral is for tests: two exchanges must never share one.
class Initiator:
    def __init__(self, psk, prologue, ephemeral=None):
        if len(psk) != _KEY:
            raise ValueError("a pre-shared key has 32 bytes, this one %d" % len(psk))
        self._ephemeral = ephemeral or os.urandom(_KEY)
        self._chain = self.hash = sha256(b"Noise_NNpsk0_25519_ChaChaPoly_SHA256").digest()
        self._mix_hash(prologue)
        self._psk = psk

    # Returns all that is needed between the two messages, so that nothing of this module need
    # stay.
    def suspended(self):
        return self._ephemeral, self._chain, self.hash

    def _mix_hash(self, data):
        digest = sha256(self.hash)
        digest.update(data)
        self.hash = digest.digest()

    # Mixes a secret in and returns the key that follows; a pre-shared key goes into the hash too.
    def _mix_key(self, secret, is_psk=False):
        from .hkdf import hkdf

        out = hkdf(self._chain, secret, b"", 96 if is_psk else 64)
        self._chain = out[:_KEY]
        if is_psk:
            self._mix_hash(out[_KEY:64])
        return out[-_KEY:]

    # Writes message 1: the ephemeral public key and the sealed payload.
    async def write(self, payload):
        self._mix_key(self._psk, True)
        self._psk = None
        public = await _multiplied(self._ephemeral, b"\x09" + bytes(31))
        self._mix_hash(public)
        key = self._mix_key(public)
        release("hkdf")
        size = _KEY + len(payload)
        message = bytearray(size + _TAG)
        message[:_KEY] = public
        message[_KEY:size] = payload
        sealed = memoryview(message)[_KEY:]
        from .chacha import seal

        await seal(key, _NONCE, self.hash, sealed)
        self._mix_hash(sealed)
        release(*_TOOLS)  # while the server thinks, the heap is HTTP's
        return message

    # Returns the payload of message 2 (a bytearray), decrypted in place: a memoryview of it.
    # Raises DeviceError if the other side has not shown that it knows the key.
    async def read(self, message):
        if len(message) < _KEY + _TAG:
            raise DeviceError("server_untrusted", "wanted 48 bytes, came %d" % len(message))
        ephemeral = self._ephemeral
        self._ephemeral = None
        view = memoryview(message)
        try:
            self._mix_hash(view[:_KEY])
            self._mix_key(view[:_KEY])
            key = self._mix_key(await _multiplied(ephemeral, view[:_KEY]))
            release("hkdf")
            before = self.hash
            self._mix_hash(view[_KEY:])
            from .chacha import unseal

            await unseal(key, _NONCE, before, view[_KEY:])
        except ValueError:
            raise DeviceError("server_untrusted", "the answer was not made with this device's key")
        finally:
            self._chain = None
            release(*_TOOLS)
        return view[_KEY:-_TAG]


# Goes on from what suspended() returned.
def resumed(state):
    noise = Initiator(bytes(_KEY), b"")
    noise._ephemeral, noise._chain, noise.hash = state
    return noise


# Computes X25519, which is gone before the cipher comes: never both in RAM.
async def _multiplied(scalar, u):
    return await borrowed("x25519", "x25519", scalar, u)
