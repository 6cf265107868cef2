# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The evidence that somebody wants from a board, beyond its log, pins and air."""

from dataclasses import dataclass
from pathlib import Path

from muster_harness.coverage.sources import Coverage


@dataclass(frozen=True)
class Evidence:
    """`coverage` takes which lines of its sources the board runs. With `charts_heap` the board
    draws its heaps over time, in a file beside its log."""

    coverage: Coverage | None = None
    charts_heap: bool = False

    @property
    def marked(self) -> Path | None:
        """The folder of the sources that have marks; None if nobody wants coverage."""
        return self.coverage.folder if self.coverage is not None else None


NOTHING_MORE = Evidence()
