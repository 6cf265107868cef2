# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""One timestamped log per board: serial output, events, and how much went in.

What goes *to* the board is logged by its size only: identities and passwords travel there.
"""

import threading
import time
from pathlib import Path


def shown(text: bytes | bytearray) -> str:
    """The text as one line of a log that a terminal can show."""
    line = text.decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in line)


class BoardLog:
    """Lines of `<seconds since the board was made> <mark> <text>`; marks: `<` from the board,
    `>` to the board, `*` event.

    A line from the board stays whole: what happens in its middle stands before it.
    """

    def __init__(self, path: Path):
        self.path = path
        self._start = time.monotonic()
        self._lock = threading.Lock()
        self._line = bytearray()
        self._file = path.open("a", encoding="utf-8", buffering=1)

    def output(self, data: bytes) -> None:
        with self._lock:
            self._line += data
            while (end := self._line.find(b"\n")) >= 0 or len(self._line) > 4096:
                end = end if end >= 0 else 4095
                self._write("<", self._line[: end + 1])
                del self._line[: end + 1]

    def input(self, size: int) -> None:
        with self._lock:
            self._write(">", b"%d bytes" % size)

    def event(self, text: str) -> None:
        with self._lock:
            self._write("*", text.encode())

    def close(self) -> None:
        with self._lock:
            if self._line:
                self._write("<", self._line)
                self._line.clear()
        self.event("closed")
        self._file.close()

    def _write(self, mark: str, text: bytes | bytearray) -> None:
        line = shown(text.rstrip(b"\r\n"))
        self._file.write(f"{time.monotonic() - self._start:10.6f} {mark} {line}\n")
