# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The heaps of one board over its time, drawn beside its log when it is closed."""

from muster_harness.esp32.board import Board
from muster_harness.esp32.heap_picture import Mark, Sample, picture

_MOST_SAMPLES = 4000
_MOST_MARKS = 1000


class HeapChart:
    """Answers `["heap", used, free]` of `shims/later/heap_samples.py`."""

    def __init__(self, board: Board):
        self._board = board
        self._samples: list[Sample] = []
        self._marks: list[Mark] = []
        self._next_drawn = 1
        self.run_begins()

    def ask(self, used: int, free: int) -> None:
        """Take note of MicroPython's heap, in bytes, and of ESP-IDF's at this time."""
        heap = self._board.idf_heap
        idf = (heap.free_bytes, heap.largest) if heap.is_limited else (None, None)
        self._samples.append(Sample(self._now_s(), used, free, *idf))
        if len(self._samples) > _MOST_SAMPLES:  # a long life is drawn more coarsely
            del self._samples[1::2]
        if len(self._samples) >= self._next_drawn:  # a test that fails shows it before the end
            self._next_drawn *= 2
            self._draw()

    def _now_s(self) -> float:
        return self._board.clock.now_us() / 1_000_000

    def run_begins(self) -> None:
        """Mark the reset that was before it."""
        if len(self._marks) < _MOST_MARKS:
            cause = self._board.reset_cause.name.lower().replace("_", " ")
            self._marks.append(Mark(self._now_s(), cause))

    def run_ends(self) -> None:
        """Do nothing: the next run begins with a mark."""

    def chip_stops(self) -> None:
        """Do nothing: it may go on."""

    def close(self) -> None:
        """Draw all of it."""
        if self._samples:
            self._draw()

    def _draw(self) -> None:
        text = picture(self._board.name, self._samples, self._marks)
        self._board.log.beside("heap.svg").write_text(text, encoding="utf-8")
