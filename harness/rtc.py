# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The real-time clock and its memory: kept over every reset, gone with the power."""

import time

_EPOCH_2000_US = 946684800 * 1000000
MEMORY_BYTES = 2048


class RTC:
    """`offset_us` turns the host's clock (Unix time) into the board's (since 2000)."""

    def __init__(self) -> None:
        self.lose_power()

    def lose_power(self) -> None:
        """Start over at 2000-01-01, with empty memory."""
        self.memory = b""
        self.offset_us = 0
        self.set_us(0)

    def set_us(self, board_us: int) -> int:
        """Set the board's clock, in microseconds since 2000; returns the new offset."""
        self.offset_us = board_us - time.time_ns() // 1000
        return self.offset_us

    def now_us(self) -> int:
        return time.time_ns() // 1000 + self.offset_us

    def now_unix_s(self) -> float:
        """The board's clock as Unix time."""
        return (self.now_us() + _EPOCH_2000_US) / 1e6
