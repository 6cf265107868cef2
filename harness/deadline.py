# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""An end to every wait for bytes, whoever waits: mpremote's deadlines begin anew with each byte,
so a board that prints for ever would be read for ever."""

import contextlib
import time
from collections.abc import Iterator
from typing import Any

from harness.errors import Flooded


class Guarded:
    """A serial port, or what looks like one, whose `read` keeps to a deadline."""

    def __init__(self, serial: Any, port: str) -> None:
        self.inner = serial
        self._port = port
        self._end: float | None = None
        self._longest_s = 0.0

    @contextlib.contextmanager
    def at_most(self, longest_s: float) -> Iterator[None]:
        """Within this block, reading ends after so long. Raises Flooded then."""
        self._end, self._longest_s = time.monotonic() + longest_s, longest_s
        try:
            yield
        finally:
            self._end = None

    def read(self, size: int = 1) -> bytes:
        if self._end is not None and time.monotonic() > self._end:
            raise Flooded(
                f"the board on {self._port} went on printing for {self._longest_s:g} s; is there "
                "a loop without an end in its program, or does the code need more time "
                "(longest_s)?"
            )
        return bytes(self.inner.read(size))

    def write(self, data: bytes) -> None:
        self.inner.write(data)

    @property
    def timeout(self) -> float | None:
        seconds: float | None = self.inner.timeout
        return seconds

    @timeout.setter
    def timeout(self, seconds: float | None) -> None:
        self.inner.timeout = seconds

    @property
    def in_waiting(self) -> int:
        return int(self.inner.in_waiting)

    def inWaiting(self) -> int:  # noqa: N802 (as mpremote calls it)
        return self.in_waiting

    def set_lines(self, dtr: bool, rts: bool) -> None:
        """Raises OSError where there are none."""
        if hasattr(self.inner, "set_lines"):
            self.inner.set_lines(dtr, rts)
        else:
            self.inner.dtr, self.inner.rts = dtr, rts

    def close(self) -> None:
        self.inner.close()
