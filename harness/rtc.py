# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The real-time clock and its memory: kept over every reset, gone with the power."""

from harness.clock import BoardClock

_EPOCH_2000_US = 946684800 * 1000000
MEMORY_BYTES = 2048


class RTC:
    """`offset_us` turns the board's timeline into its date (microseconds since 2000)."""

    def __init__(self, clock: BoardClock) -> None:
        self._clock = clock
        self.lose_power()

    def lose_power(self) -> None:
        """Start over at 2000-01-01, with empty memory."""
        self.memory = b""
        self.offset_us = 0
        self.set_us(0)

    def set_us(self, board_us: int) -> int:
        """Set the board's date, in microseconds since 2000; returns the new offset."""
        self.offset_us = board_us - self._clock.now_us()
        return self.offset_us

    def now_unix_s(self) -> float:
        """The board's date as Unix time."""
        return (self._clock.now_us() + self.offset_us + _EPOCH_2000_US) / 1e6
