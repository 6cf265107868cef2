# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Tells how far a run has come: a line that changes on a terminal, one now and then elsewhere."""

import sys
import time

_TERMINAL_S, _ELSEWHERE_S = 0.5, 30.0


class Progress:
    """Says on standard error what has been done."""

    def __init__(self, command: str) -> None:
        self._command, self._devices = command, 0
        self._is_terminal = sys.stderr.isatty()
        self._began = self._next = 0.0

    def begin(self, devices: int) -> None:
        """The run begins now, with so many devices."""
        self._devices = devices
        self._began = time.monotonic()
        self._next = self._began + (_TERMINAL_S if self._is_terminal else _ELSEWHERE_S)

    def show(self, done: int, refused: int) -> None:
        """Say it, if it is time to."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + (_TERMINAL_S if self._is_terminal else _ELSEWHERE_S)
        passed_s = max(now - self._began, 0.001)
        line = f"{self._command}: {done} of {self._devices}, {done / passed_s:.0f} a second"
        line += f", {refused} refused" if refused else ""
        line += f", {int(passed_s) // 60}:{int(passed_s) % 60:02d}"
        self._write(f"\r{line}\x1b[K" if self._is_terminal else f"{line}\n")

    def end(self) -> None:
        """Take the line away: the figures follow."""
        if self._is_terminal and self._began:
            self._write("\r\x1b[K")

    @staticmethod
    def _write(text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()
