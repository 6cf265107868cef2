# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""An end to every wait for bytes, whoever waits.

mpremote's own deadlines begin anew with each byte, so a board that prints for ever would be read
for ever. Where mpremote wants an answer of a byte or two, it takes the bytes of one read for all
there are, so a board that stands still for a moment would be misunderstood.
"""

import contextlib
import re
import time
from collections.abc import Iterator
from typing import Any

from muster_harness.errors import BoardError, BoardReset, Flooded

# What every ESP32's ROM says first, e.g. "rst:0x8 (TG1WDT_SYS_RESET),boot:0x13 (…".
_RESET = re.compile(rb"\nrst:0x[0-9a-f]+ \((\w+)\)")
_TAIL = 64
_PIECE = 65536
_SILENCE_S = 1.0  # after something came, and nothing for less than so long, more may come


class Guarded:
    """A serial port, or an object like one, whose `read` keeps to a deadline.

    A read waits `timeout` seconds for its bytes, however long the port's own reads take.
    """

    def __init__(self, serial: Any, port: str, timeout: float) -> None:
        self.inner = serial
        self.timeout = timeout
        self._port = port
        self._end: float | None = None
        self._longest_s = 0.0
        self._may_reset = False
        self._tail = b""
        self._ahead = b""  # read already, for who reads next

    @contextlib.contextmanager
    def at_most(self, longest_s: float, may_reset: bool = False) -> Iterator[None]:
        """End reading within this block after so many seconds.

        Reads raise Flooded then, BoardError if nothing comes for `timeout`, and BoardReset if the
        board begins anew meanwhile, unless it may.
        """
        self._end, self._longest_s = time.monotonic() + longest_s, longest_s
        self._may_reset = may_reset
        self._tail = b""
        try:
            yield
        finally:
            self._end = None

    def until(self, ending: bytes) -> bytes:
        """All that comes before one byte, which is taken too; in time that grows with the output
        and no faster, unlike what a loop over `read` takes. Within `at_most` only."""
        pieces = []
        while True:
            before, found, self._ahead = (self.read(1) + self._ready()).partition(ending)
            pieces.append(before)
            if found:
                return b"".join(pieces)

    def _ready(self) -> bytes:
        """Return the bytes that have come and can be had without waiting."""
        ready, self._ahead = self._ahead, b""
        if ready:
            return ready
        if getattr(self.inner, "_socket", None) is not None:  # of which pyserial counts one byte
            patience_s, self.inner.timeout = self.inner.timeout, 0
            try:
                ready = bytes(self.inner.read(_PIECE))
            finally:
                self.inner.timeout = patience_s
        else:
            count = min(int(self.inner.in_waiting), _PIECE)
            ready = bytes(self.inner.read(count)) if count else b""
        self._look_for_reset(ready)
        return ready

    def read(self, size: int = 1) -> bytes:
        """Read up to so many bytes; within `at_most`, an empty read is an error.

        Raises BoardError, Flooded and BoardReset as `at_most` says.
        """
        if self._ahead:
            data, self._ahead = self._ahead[:size], self._ahead[size:]
            return data if len(data) == size else data + self.read(size - len(data))
        now = time.monotonic()
        if self._end is not None and now > self._end:
            raise self._flooded()
        data = self._read_until(now + self.timeout, size)
        if self._end is not None:
            if not data and size:
                if self._tail and self._end - now < min(self.timeout, _SILENCE_S):
                    raise self._flooded()  # so short a silence tells nothing
                raise BoardError(
                    f"the board on {self._port} did not finish: nothing came for "
                    f"{time.monotonic() - now:.3g} s; was it reset? Try again"
                )
            self._look_for_reset(data)
        return data

    def _flooded(self) -> Flooded:
        return Flooded(
            f"the board on {self._port} went on printing for {self._longest_s:g} s; is there a "
            "loop without an end in its program, or does the code need more time (longest_s)?"
        )

    def _read_until(self, end: float, size: int) -> bytes:
        if self._end is not None:
            end = min(end, self._end)
        data = bytes(self.inner.read(size))
        while len(data) < size and time.monotonic() < end:
            data += bytes(self.inner.read(size - len(data)))
        return data

    def _look_for_reset(self, data: bytes) -> None:
        seen = self._tail + data
        self._tail = seen[-_TAIL:]
        if not self._may_reset and b")" in data and (reset := _RESET.search(seen)):
            self._tail = b""
            raise BoardReset(
                f"the board on {self._port} was reset meanwhile ({reset[1].decode()}): by a "
                "watchdog, by its power, or by its button"
            )

    def write(self, data: bytes) -> None:
        self.inner.write(data)

    @property
    def in_waiting(self) -> int:
        return len(self._ahead) + int(self.inner.in_waiting)

    def inWaiting(self) -> int:  # noqa: N802 (as mpremote calls it)
        return self.in_waiting

    def set_lines(self, dtr: bool, rts: bool) -> None:
        """Set the modem lines. Raises OSError where there are none."""
        if hasattr(self.inner, "set_lines"):
            self.inner.set_lines(dtr, rts)
        else:
            self.inner.dtr, self.inner.rts = dtr, rts

    def close(self) -> None:
        self.inner.close()
