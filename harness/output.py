# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What a board has printed: a bounded buffer that one can wait on."""

import re
import threading
import time
from collections.abc import Callable
from pathlib import Path

from harness.errors import BoardError, ExpectTimeout

_KEPT = 1 << 20
_SHOWN_LINES = 15


class Output:
    """Bytes from the board, the newest `_KEPT` of them. `expect` reads on after its last match."""

    def __init__(self, log_path: Path, failure: Callable[[], str | None]):
        self._log_path = log_path
        self._failure = failure
        self._changed = threading.Condition()
        self._data = bytearray()
        self._dropped = 0  # bytes that are no longer kept
        self._read = 0  # position, counted from the first byte ever, after the last match

    def append(self, data: bytes) -> None:
        with self._changed:
            self._data += data
            excess = len(self._data) - _KEPT
            if excess > _KEPT // 4:
                del self._data[:excess]
                self._dropped += excess
            self._changed.notify_all()

    def wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def all(self) -> bytes:
        with self._changed:
            return bytes(self._data)

    def forget(self) -> None:
        """Let the next `expect` see only what comes from now on."""
        with self._changed:
            self._read = self._dropped + len(self._data)

    def expect(self, pattern: bytes, timeout_s: float) -> re.Match[bytes]:
        """Wait for a regular expression and return its match.

        Raises ExpectTimeout with the pattern, the last lines and the log's path, and BoardError
        if the board broke down meanwhile.
        """
        regex = re.compile(pattern, re.DOTALL | re.MULTILINE)
        end = time.monotonic() + timeout_s
        with self._changed:
            while True:
                start = max(0, self._read - self._dropped)
                match = regex.search(bytes(self._data[start:]))
                if match:
                    self._read = self._dropped + start + match.end()
                    return match
                failure = self._failure()
                if failure is not None:
                    raise BoardError(f"{failure}\n{self._evidence()}")
                left = end - time.monotonic()
                if left <= 0:
                    raise ExpectTimeout(
                        f"no {pattern!r} within {timeout_s} s of output\n{self._evidence()}"
                    )
                self._changed.wait(left)

    def _evidence(self) -> str:
        lines = bytes(self._data[-4096:]).decode("utf-8", "backslashreplace").splitlines()
        shown = "\n".join(f"  | {line}" for line in lines[-_SHOWN_LINES:]) or "  | (nothing)"
        return f"last lines from the board:\n{shown}\nwhole log: {self._log_path}"
