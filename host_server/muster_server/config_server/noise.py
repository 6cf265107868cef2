# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The host's side of a sync exchange: Noise NNpsk0 through the noiseprotocol library.

The only file that knows that library.
"""

from cryptography.exceptions import InvalidTag
from noise.connection import NoiseConnection
from noise.exceptions import NoiseHandshakeError, NoiseInvalidMessage, NoiseValueError

PROTOCOL = b"Noise_NNpsk0_25519_ChaChaPoly_SHA256"
# An ephemeral key and a tag: nothing shorter can be a message.
SHORTEST_BYTES = 32 + 16

_REFUSALS = (InvalidTag, ValueError, NoiseHandshakeError, NoiseInvalidMessage, NoiseValueError)


class Responder:
    """One exchange under one key: read message 1, then write message 2. Not for a second use."""

    def __init__(self, device_id: str, k: str, psk: bytes) -> None:
        self._noise = NoiseConnection.from_name(PROTOCOL)
        self._noise.set_prologue(f"muster/1/{device_id}/{k}".encode())
        self._noise.set_psks(psk)
        self._noise.set_as_responder()
        self._noise.start_handshake()

    def read(self, message: bytes) -> bytes | None:
        """The report in message 1, or None if it was not made with this key for this prologue."""
        try:
            return bytes(self._noise.read_message(message))
        except _REFUSALS:
            return None

    def write(self, directive: bytes) -> bytes | None:
        """Message 2; None if message 1's ephemeral key is one that no honest device draws."""
        try:
            return bytes(self._noise.write_message(directive))
        except _REFUSALS:
            return None
