# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Times and refusals of a run, and what they come to."""

import os
import threading
from collections import Counter
from pathlib import Path
from typing import Any


class Figures:
    """Collects from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._times: dict[str, list[float]] = {}
        self.refusals: Counter[str] = Counter()

    def took(self, what: str, seconds: float) -> None:
        """Note that this was done, and how long it took."""
        with self._lock:
            self._times.setdefault(what, []).append(seconds)

    def refused(self, what: str) -> None:
        """Note that this was refused, or not answered."""
        with self._lock:
            self.refusals[what] += 1

    def count(self, what: str) -> int:
        """Return how often this was done."""
        return len(self._times.get(what, ()))

    def summary(self) -> dict[str, dict[str, float]]:
        """Return count, p50, p90, p99 and the longest, in milliseconds, of everything done."""
        with self._lock:
            return {
                what: {
                    "count": len(times),
                    "p50_ms": percentile(times, 50),
                    "p90_ms": percentile(times, 90),
                    "p99_ms": percentile(times, 99),
                    "longest_ms": percentile(times, 100),
                }
                for what, times in self._times.items()
            }


def percentile(times: list[float], percent: int) -> float:
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


def table(summary: dict[str, Any]) -> str:
    """Return the summary as lines for people."""
    lines = [f"{'':<12}{'count':>8}{'p50 ms':>10}{'p90 ms':>10}{'p99 ms':>10}{'longest':>10}"]
    for what, row in summary.items():
        lines.append(
            f"{what:<12}{row['count']:>8}{row['p50_ms']:>10.1f}{row['p90_ms']:>10.1f}"
            f"{row['p99_ms']:>10.1f}{row['longest_ms']:>10.1f}"
        )
    return "\n".join(lines)
