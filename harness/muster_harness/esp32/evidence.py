# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The evidence that somebody wants from a board, beyond its log, pins and air."""

import re
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

    def heap(self, size: str) -> str:
        """Return the heap of a board for which so much is wanted, e.g. "320K": with coverage half
        as much again, because marks make a source larger while it is compiled."""
        parts = re.fullmatch(r"(\d+)(\w*)", size)
        if self.coverage is None or parts is None:
            return size
        number, unit = parts.groups()
        if unit[-1:] in ("m", "M"):
            number, unit = str(int(number) * 1024), unit[:-1] + "K"
        return f"{int(number) * 3 // 2}{unit}"


NOTHING_MORE = Evidence()
