# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The task watchdog runs in the chip, so it survives a soft reset and bites a busy program."""

from collections.abc import Callable

from muster_harness.esp32.parts.clock import BoardClock
from muster_harness.loop import Timer


class Watchdog:
    def __init__(self, clock: BoardClock, on_bite: Callable[[], None]):
        self._clock = clock
        self._on_bite = on_bite
        self._timer: Timer | None = None
        self._timeout_s = 0.0

    def start(self, timeout_ms: int) -> None:
        """Start the watchdog, or give a running one another timeout."""
        self._timeout_s = timeout_ms / 1000
        self.feed()

    def feed(self) -> None:
        if self._timeout_s:
            self._cancel()
            self._timer = self._clock.later(self._timeout_s, self._bite)

    def stop(self) -> None:
        """Stop the watchdog, as only a reset of the chip can."""
        self._cancel()
        self._timeout_s = 0.0

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _bite(self) -> None:
        self._timer = None
        self._timeout_s = 0.0
        self._on_bite()
