# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A board's output: a bounded buffer that one can wait on."""

import re
import threading
import time
from collections.abc import Callable
from pathlib import Path

from muster_harness.errors import BoardError, ExpectTimeout, HarnessError

_KEPT = 1 << 20
_SHOWN_LINES, _SHOWN_CHARACTERS = 15, 4096
_PAUSE_S = 0.02


class Output:
    """The output of a board, its newest `_KEPT` bytes. `expect` reads on after its last match."""

    def __init__(
        self,
        log_path: Path,
        failure: Callable[[], str | None],
        error: type[BoardError] = BoardError,
        without_secrets: Callable[[str], str] = str,
    ):
        self._log_path = log_path
        self._failure = failure
        self._error = error  # raised with the failure, if there is one
        self._without_secrets = without_secrets
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
        """Let the next `expect` see only the output from now on."""
        with self._changed:
            self._read = self._dropped + len(self._data)

    def expect(self, pattern: bytes | str, timeout_s: float) -> re.Match[bytes]:
        """Wait for a regular expression, of which text stands for its UTF-8, and return its match.

        Raises ExpectTimeout with the pattern, the last lines and the log's path, and BoardError if
        the board broke down meanwhile; HarnessError for no timeout.
        """
        __tracebackhide__ = True  # in pytest's reports, which show who waited
        if timeout_s is None:
            raise HarnessError(
                "timeout_s=None would wait for ever, and a board that hangs would hang its tests; "
                "say how many seconds, 3600 if need be"
            )
        raw = pattern.encode() if isinstance(pattern, str) else pattern
        regex = re.compile(raw, re.DOTALL | re.MULTILINE)
        end = time.monotonic() + timeout_s
        while True:
            with self._changed:
                length = self._dropped + len(self._data)
                start = max(self._read, self._dropped)
                data = bytes(self._data[start - self._dropped :])
            began = time.monotonic()
            match = regex.search(data)
            if match:
                self._read = start + match.end()
                return match
            failure = self._failure()
            if failure is not None:
                raise self._error(f"{failure}\n{self._evidence()}")
            if time.monotonic() >= end:
                raise ExpectTimeout(
                    f"no {pattern!r} within {timeout_s} s of output\n{self._evidence()}"
                )
            # A board that floods its port is not looked at all the time, or nobody else runs.
            self._wait(length, end, time.monotonic() - began)

    def _wait(self, length: int, end: float, took_s: float) -> None:
        """Wait until there is more than `length`, and for as long as the last look took."""
        time.sleep(min(took_s, _PAUSE_S))
        with self._changed:
            self._changed.wait_for(
                lambda: self._dropped + len(self._data) > length or self._failure() is not None,
                max(end - time.monotonic(), 0),
            )

    def _evidence(self) -> str:
        with self._changed:
            kept = bytes(self._data)
        # Cut only what is without secrets: half a secret would not be found.
        text = self._without_secrets(kept.decode("utf-8", "backslashreplace"))
        lines = text[-_SHOWN_CHARACTERS:].splitlines()
        shown = "\n".join(f"  | {line}" for line in lines[-_SHOWN_LINES:]) or "  | (nothing)"
        return f"last lines from the board:\n{shown}\nwhole log: {self._log_path}"
