# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The board's second terminal, `os.dupterm`: what the console says, kept until a shim takes it."""

from collections.abc import Callable

_MOST_KEPT = 1 << 20
_SLICE = 1024


class SecondTerminal:
    """Keeps a copy of the console's output, and takes input as the console does.

    The stream itself is the program's, in shims/later/second_terminal.py.
    """

    def __init__(self, on_input: Callable[[bytes], None], on_loss: Callable[[int], None]):
        """`on_loss` is told how many bytes nobody has taken in time."""
        self._on_input = on_input
        self._on_loss = on_loss
        self._kept = bytearray()
        self._is_attached = False

    def attach(self, is_attached: bool) -> None:
        """Begin, or end, to keep what is said."""
        self._is_attached = is_attached
        self._kept.clear()

    def put(self, data: bytes) -> None:
        if not self._is_attached:
            return
        self._kept += data
        if len(self._kept) > _MOST_KEPT:
            self._on_loss(len(self._kept))
            self._kept.clear()

    def take(self) -> str:
        """Return the next bytes as hexadecimal digits; none if nothing was said."""
        data = bytes(self._kept[:_SLICE])
        del self._kept[:_SLICE]
        return data.hex()

    def type(self, data: str) -> None:
        """Take what was typed there, as hexadecimal digits."""
        self._on_input(bytes.fromhex(data))
