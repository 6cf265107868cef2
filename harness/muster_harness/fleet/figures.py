# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Times and refusals of a run, and what they come to."""

import os
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Figures:
    """Times and refusals of one process. `add` makes those of several processes one."""

    times: "dict[str, array[float]]" = field(default_factory=dict)  # seconds, by what was done
    refusals: Counter[str] = field(default_factory=Counter)

    def took(self, what: str, seconds: float) -> None:
        """Note that this was done, and how long it took."""
        times = self.times.get(what)
        if times is None:
            times = self.times[what] = array("d")
        times.append(seconds)

    def refused(self, what: str) -> None:
        """Note that this was refused, or not answered."""
        self.refusals[what] += 1

    def count(self, what: str) -> int:
        """Return how often this was done."""
        return len(self.times.get(what, ()))

    def add(self, other: "Figures") -> None:
        """Take what another process has seen."""
        for what, times in other.times.items():
            self.times.setdefault(what, array("d")).extend(times)
        self.refusals += other.refusals

    def summary(self) -> dict[str, dict[str, float]]:
        """Return count, p50, p90, p99 and the longest, in milliseconds, of everything done."""
        return {
            what: {
                "count": len(times),
                "p50_ms": percentile(times, 50),
                "p90_ms": percentile(times, 90),
                "p99_ms": percentile(times, 99),
                "longest_ms": percentile(times, 100),
            }
            for what, times in self.times.items()
        }


def percentile(times: Sequence[float], percent: int) -> float:
    """Return the time within which so many were done, in ms; 0.0 if there are none."""
    if not times:
        return 0.0
    ordered = sorted(times)
    place = max(0, -(-len(ordered) * percent // 100) - 1)
    return round(ordered[place] * 1000, 2)


def cpu_seconds(pids: list[int]) -> float:
    """Return the time that these processes have computed, in seconds; those gone count nothing."""
    total = 0.0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total
