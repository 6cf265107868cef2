# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The device's side of a sync exchange, through the noiseprotocol library, in place of firmware.

The only file of the harness that knows that library.
"""

from muster_harness.errors import HarnessError

_PROTOCOL = b"Noise_NNpsk0_25519_ChaChaPoly_SHA256"


class Initiator:
    """One exchange under one key: write message 1, then read message 2. Not for a second use."""

    def __init__(self, device_id: str, k: str, psk: bytes) -> None:
        """Raises HarnessError if the library is not there."""
        try:
            from noise.connection import NoiseConnection
        except ImportError:
            raise HarnessError(
                "muster-fleet needs noiseprotocol; try: pip install 'muster-harness[fleet]'"
            ) from None
        self._noise = NoiseConnection.from_name(_PROTOCOL)
        self._noise.set_prologue(f"muster/1/{device_id}/{k}".encode())
        self._noise.set_psks(psk)
        self._noise.set_as_initiator()
        self._noise.start_handshake()

    def write(self, report: bytes) -> bytes:
        """Return message 1 with this report."""
        return bytes(self._noise.write_message(report))

    def read(self, message: bytes) -> bytes:
        """Return the directive in message 2. Raises ValueError if the key did not make it."""
        try:
            return bytes(self._noise.read_message(message))
        except Exception as error:  # noqa: BLE001 - the library's errors have no common root
            raise ValueError(f"message 2 does not open ({type(error).__name__})") from None
