# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A bar on the terminal while bytes are on their way; no output where nobody looks."""

import sys
from types import TracebackType
from typing import Self, TextIO

_CELLS = 30


class ProgressBar:
    """A progress bar as a context manager; its line is gone at the end, whatever happens."""

    def __init__(self, what: str, stream: TextIO | None = None) -> None:
        self._what = what
        self._stream = stream or sys.stderr
        self._is_seen = self._stream.isatty()
        self._width = 0

    def __enter__(self) -> Self:
        # The firmware is compiled, and the board looked at, before the first byte goes.
        self._width = len(self._what) + 2
        self._write(f"{self._what} …")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._write(" " * self._width)
        self._write("")

    def show(self, done: int, total: int) -> None:
        """Show how far a transfer is; both figures are bytes."""
        part = min(done / total, 1.0) if total else 1.0
        cells = "█" * round(part * _CELLS)
        line = f"{self._what} {cells:·<{_CELLS}} {part:4.0%} of {total / 1000:.0f} kB"
        self._width = len(line)
        self._write(line)

    def _write(self, line: str) -> None:
        if self._is_seen:
            self._stream.write(f"\r{line}")
            self._stream.flush()
