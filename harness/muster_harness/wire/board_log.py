# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A board's part of the logs: its serial output, events, and how much was sent to it.

Bytes *to* the board are logged by their size only: identities and passwords travel there.
"""

import threading
from collections.abc import Callable
from pathlib import Path

from muster_harness.log import Log

_LONGEST_LINE = 4096


class BoardLog:
    """A board's own log at `path`, and its part of a `shared` one.

    A line from the board stays whole: an event in its middle stands before it.
    """

    def __init__(self, path: Path | None, name: str = "", shared: Log | None = None):
        self._own = Log(path) if path is not None else None
        self._shared = shared
        self._name = name
        self._lock = threading.Lock()
        self._line = bytearray()
        self._count: Callable[[], int] | None = None
        self._counted = 0

    @property
    def path(self) -> Path:
        """The log to read: of the whole test, if there is one."""
        return self._log.path

    def beside(self, ending: str) -> Path:
        """Return where a file of another kind about this board lies: beside the log, with the
        board's name where other boards write into that log too."""
        name = f"{self.path.stem}.{self._name}" if self._shared is not None else self.path.stem
        return self.path.with_name(f"{name}.{ending}")

    def without_secrets(self, text: str) -> str:
        """Return a text without the secrets that the log hides."""
        return self._log.without_secrets(text)

    @property
    def _log(self) -> Log:
        log = self._shared or self._own
        if log is None:
            raise ValueError("a board without any log")
        return log

    def output(self, data: bytes) -> None:
        with self._lock:
            self._line += data
            while (end := self._line.find(b"\n")) >= 0 or len(self._line) > _LONGEST_LINE:
                end = end if end >= 0 else _LONGEST_LINE - 1
                self._write("<", self._line[: end + 1])
                del self._line[: end + 1]

    def input(self, size: int) -> None:
        with self._lock:
            self._write(">", b"%d bytes" % size)

    def event(self, text: str) -> None:
        with self._lock:
            self._write("*", text.encode())

    def count_flash(self, operations: Callable[[], int] | None) -> None:
        """Say before a line how many flash operations there were since the line before it."""
        with self._lock:
            self._count = operations
            self._counted = operations() if operations else 0

    def close(self) -> None:
        with self._lock:
            if self._line:
                self._write("<", self._line)
                self._line.clear()
            self._write("*", b"closed")
        if self._own is not None:
            self._own.close()

    def _write(self, mark: str, text: bytes | bytearray) -> None:
        if self._count is not None:
            done = self._count()
            new, self._counted = done - self._counted, done
            if new:
                self._write("*", b"flash: %d operations" % new)
        if self._own is not None:
            self._own.write("", mark, text)
        if self._shared is not None:
            self._shared.write(self._name, mark, text)
