# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The UART between the interpreter and the serial port: its speed, and the bytes that it loses.

Output waits for the line, as MicroPython does. Input goes into a ring of 260 bytes, which holds
259; a byte that comes while it is full is lost (ports/esp32/mphalport.c, uart.c).
"""

import time
from collections.abc import Callable
from typing import Protocol

from muster_harness.loop import Loop

RING_BYTES = 259
FIFO_BYTES = 128
USUAL_BAUD = 115_200
_BITS_PER_BYTE = 10  # with start and stop
_SLICE_S = 0.001
_LOOK_S = 0.002
_MOST_QUEUED = 65536
_CTRL_C = 0x03


class Line:
    """One direction at so many baud, or, with None, as fast as can be."""

    def __init__(self, loop: Loop, baud: int | None, deliver: Callable[[bytes], None]):
        self._loop = loop
        self._bytes_per_s = baud / _BITS_PER_BYTE if baud else None
        self._deliver = deliver
        self._queue = bytearray()
        self._paid_until = 0.0
        self._on_room: list[Callable[[], None]] = []

    def put(self, data: bytes) -> None:
        if self._bytes_per_s is None:
            self._deliver(data)
            return
        if not self._queue:
            self._paid_until = time.monotonic()
            self._loop.later(min(_SLICE_S, len(data) / self._bytes_per_s), self._tick)
        self._queue += data

    @property
    def is_busy(self) -> bool:
        """True if as much waits as a UART's FIFO takes, so that the sender has to wait."""
        return len(self._queue) > FIFO_BYTES

    @property
    def is_full(self) -> bool:
        """True if so much waits that nobody should bring more."""
        return len(self._queue) > _MOST_QUEUED

    def when_room(self, function: Callable[[], None]) -> None:
        """Call a function once when the line is not busy any more."""
        self._on_room.append(function)

    def clear(self) -> None:
        """Lose the bytes that have not gone yet."""
        self._queue.clear()
        self._tell_of_room()

    def _tick(self) -> None:
        if self._bytes_per_s is None or not self._queue:
            return
        budget = int((time.monotonic() - self._paid_until) * self._bytes_per_s)
        data = bytes(self._queue[:budget])
        del self._queue[:budget]
        self._paid_until += len(data) / self._bytes_per_s
        if self._queue:
            left_s = len(self._queue) / self._bytes_per_s
            self._loop.later(min(_SLICE_S, left_s), self._tick)
        if data:
            self._deliver(data)
        self._tell_of_room()

    def _tell_of_room(self) -> None:
        if not self.is_busy:
            waiting, self._on_room = self._on_room, []
            for function in waiting:
                function()


class Reader(Protocol):
    """The interpreter, as far as the ring has to know it."""

    def unread(self) -> int:
        """Return how many bytes of its input the interpreter has not read."""
        ...

    def ran_s(self) -> float:
        """Return the seconds that it has computed or slept so far.

        Time in which the host was busy with something else does not count.
        """
        ...


class Ring:
    """The input that the interpreter has not read.

    Bytes arrive at the line's speed, or at 115200 baud if the line has no limit. A byte that finds
    no room then is dropped; an interrupt finds its way past a full ring.
    """

    def __init__(
        self,
        loop: Loop,
        baud: int | None,
        reader: Callable[[], Reader | None],
        deliver: Callable[[bytes], None],
        on_loss: Callable[[int], None],
    ):
        self._loop = loop
        self._bytes_per_s = (baud or USUAL_BAUD) / _BITS_PER_BYTE
        self._reader = reader
        self._deliver = deliver
        self._on_loss = on_loss
        self._arriving = bytearray()
        self._began_s = 0.0
        self._gone = 0  # bytes taken or lost since then
        self._lost = 0

    def put(self, data: bytes) -> None:
        reader = self._reader()
        if reader is None:
            return  # no power, or asleep
        if self._arriving:
            self._arriving += data
            return
        self._arriving += data
        self._gone = self._lost = 0
        self._began_s = reader.ran_s()
        self._look()

    def clear(self) -> None:
        self._arriving.clear()

    def _look(self) -> None:
        reader = self._reader()
        if reader is None:
            self._arriving.clear()
            return
        self._fill(reader)
        arrived = int((reader.ran_s() - self._began_s) * self._bytes_per_s)
        lost = min(len(self._arriving), arrived - self._gone)
        if lost > 0:
            # an interrupt is none of the ring's business
            interrupts = self._arriving[:lost].count(_CTRL_C)
            del self._arriving[:lost]
            self._gone += lost
            self._lost += lost - interrupts
            if interrupts:
                self._deliver(b"\x03" * interrupts)
        if self._arriving:
            self._loop.later(_LOOK_S, self._look)
        elif self._lost:
            self._on_loss(self._lost)

    def _fill(self, reader: Reader) -> None:
        while self._arriving:
            if self._arriving[0] == _CTRL_C:
                count = 1
            else:
                end = self._arriving.find(_CTRL_C)
                count = min(len(self._arriving) if end < 0 else end, RING_BYTES - reader.unread())
            if count <= 0:
                return
            data = bytes(self._arriving[:count])
            del self._arriving[:count]
            self._gone += count
            self._deliver(data)
