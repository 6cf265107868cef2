# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The real-time clock and its memory: kept over every reset, gone with the power."""

from typing import Protocol

from muster_harness.esp32.parts.clock import BoardClock

_EPOCH_2000_US = 946684800 * 1000000
MEMORY_BYTES = 2048


class Memory(Protocol):
    """A process whose memory can be read and written from outside."""

    def read_memory(self, address: int, size: int) -> bytes: ...
    def write_memory(self, address: int, data: bytes) -> None: ...


class RTC:
    """The clock and its memory. `offset_us` turns the board's timeline into its date (µs since
    2000).

    RTC.memory() and mem_backup() of a program share the memory; only the former has a length. The
    content of mem_backup() lies in the program's own process, and is fetched from there.
    """

    def __init__(self, clock: BoardClock) -> None:
        self._clock = clock
        self._mirror: tuple[Memory, int] | None = None
        self.lose_power()

    def lose_power(self) -> None:
        """Start over at 2000-01-01, with empty memory."""
        self._data = bytes(MEMORY_BYTES)
        self._length = 0
        self._mirror = None
        self.offset_us = 0
        self.set_us(0)

    def set_us(self, board_us: int) -> int:
        """Set the board's date, in microseconds since 2000; returns the new offset."""
        self.offset_us = board_us - self._clock.now_us()
        return self.offset_us

    def now_unix_s(self) -> float:
        """The board's date as Unix time."""
        return (self._clock.now_us() + self.offset_us + _EPOCH_2000_US) / 1e6

    # -- memory

    @property
    def memory(self) -> bytes:
        self.fetch()
        return self._data[: self._length]

    @memory.setter
    def memory(self, data: bytes) -> None:
        self.fetch()
        self._data = data + self._data[len(data) :]
        self._length = len(data)
        if self._mirror is not None:
            child, address = self._mirror
            child.write_memory(address, data)

    def show(self, child: Memory, address: int) -> None:
        """Keep the memory at an address of a running program from now on."""
        self._mirror = child, address
        child.write_memory(address, self._data)

    def fetch(self) -> None:
        """Take over the program's writes to that memory."""
        if self._mirror is not None:
            child, address = self._mirror
            self._data = child.read_memory(address, MEMORY_BYTES) or self._data

    def run_ends(self) -> None:
        self.fetch()
        self._mirror = None
