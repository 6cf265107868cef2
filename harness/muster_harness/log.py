# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""One log of everything that happens in a test, of all its boards and servers, in its order."""

import threading
import time
from pathlib import Path

_MOST_BYTES = 8 << 20
_SOURCE_WIDTH = 10
_SHORTEST_SECRET = 4
_TAIL_LINES, _TAIL_BYTES = 30, 8192


def shown(text: bytes | bytearray) -> str:
    """Return a text as one line without control characters.

    A stranger names his access point as he likes, and its name must not move a terminal's cursor.
    """
    line = text.decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in line)


def tail(path: Path, lines: int = _TAIL_LINES) -> str:
    """Return the newest lines of a log."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
        newest = file.read().decode("utf-8", "replace")
    return "\n".join(newest.splitlines()[-lines:])


class Log:
    """Lines of `<seconds since it was made> [source] <mark> <text>`; usable from any thread.

    The mark `<` means from a board, `>` to a board, `*` everything else. The log keeps its first 8
    MiB: a board that floods its port does not fill the disk.
    """

    def __init__(self, path: Path, mode: str = "a", most_bytes: int = _MOST_BYTES):
        self.path = path
        self._start = time.monotonic()
        self._lock = threading.Lock()
        self._room = most_bytes
        self._dropped = 0
        self._hidden: frozenset[str] = frozenset()  # replaced, as others read it
        self._file = path.open(mode, encoding="utf-8", buffering=1)

    def note(self, source: str, text: str) -> None:
        """Put an event on the time line, e.g. `log.note("server", "POST /reading")`."""
        self.write(source, "*", text.encode())

    def hide(self, secret: str | None) -> None:
        """Keep a secret out of the log from now on, whoever says it."""
        if secret and len(secret) >= _SHORTEST_SECRET:
            with self._lock:
                self._hidden |= {secret}

    def without_secrets(self, text: str) -> str:
        """Return a text without the hidden secrets, for use elsewhere than in the log."""
        for secret in self._hidden:
            text = text.replace(secret, "…")
        return text

    def write(self, source: str, mark: str, text: bytes | bytearray) -> None:
        """Write one line. A line that comes after `close` is dropped, for nobody reads it."""
        line = self.without_secrets(shown(text.rstrip(b"\r\n")))
        column = f"{source:<{_SOURCE_WIDTH}} " if source else ""
        with self._lock:
            if self._file.closed:
                return
            if self._room <= 0:
                self._dropped += 1
                return
            at = time.monotonic() - self._start
            self._room -= self._file.write(f"{at:10.6f} {column}{mark} {line}\n")

    def close(self) -> None:
        """End the log. A second call does nothing."""
        with self._lock:
            if self._dropped and not self._file.closed:
                self._file.write(f"(the log was full: {self._dropped} more lines)\n")
            self._file.close()
