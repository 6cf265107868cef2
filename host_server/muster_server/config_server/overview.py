# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""An owner's devices at a glance: by state, how onboarding went, what failed, and who is silent.

All of it comes from indexes and from what was counted when it happened.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Any

from muster_server.config_server.counted import Counted
from muster_server.store.config import ConfigStore
from muster_server.store.tallies import DAY_S, Tally

DAYS = 30
_SILENT_SHOWN = 20
_FIRST, _LAST = 3, 9  # the steps that devices tell of


class OverviewService:
    """Rules for the overview. Knows neither HTTP nor SQL."""

    def __init__(
        self, store: ConfigStore, clock: Callable[[], float], counted: Counted | None = None
    ) -> None:
        self._store = store
        self._clock = clock
        self._counted = counted or Counted(store, clock)

    def of(self, owner: str) -> dict[str, Any]:
        """Return the owner's overview of the last 30 days, today included."""
        today = int(self._clock() // DAY_S)
        counts = self._counted.of(owner)
        since = counts.silent_since
        with self._store.reading() as records:
            silent = records.devices.silent(owner, since, _SILENT_SHOWN)
            tallies = records.tallies.since(owner, today - DAYS + 1)
        return {
            "devices": counts.devices,
            "states": counts.states,
            "silent": {"devices": counts.silent, "since": since, "longest": silent},
            "codes": codes_of(tallies),
            "steps": steps_of(tallies),
            "days": days_of(tallies, range(today - DAYS + 1, today + 1)),
        }


def codes_of(tallies: Iterable[Tally]) -> dict[str, int]:
    """Return how often each outcome code but "ok" came, the most frequent first."""
    found: Counter[str] = Counter()
    for tally in tallies:
        if tally.code != "ok":
            found[tally.code] += tally.times
    return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))


def steps_of(tallies: Iterable[Tally]) -> list[dict[str, Any]]:
    """Return for each step how often it succeeded and failed, and how long a success took."""
    by_step: dict[int, list[Tally]] = defaultdict(list)
    for tally in tallies:
        by_step[tally.step].append(tally)
    return [{"step": step, **_summed(by_step[step])} for step in range(_FIRST, _LAST + 1)]


def days_of(tallies: Iterable[Tally], days: Iterable[int]) -> list[dict[str, Any]]:
    """Return the same for each day; days on which nothing happened have no steps."""
    by_day: dict[int, list[Tally]] = defaultdict(list)
    for tally in tallies:
        by_day[tally.day].append(tally)
    return [
        {
            "day": (date(1970, 1, 1) + timedelta(days=day)).isoformat(),
            "steps": steps_of(by_day[day]) if by_day[day] else [],
        }
        for day in days
    ]


def _summed(tallies: list[Tally]) -> dict[str, Any]:
    good = [tally for tally in tallies if tally.code == "ok"]
    count = sum(tally.times for tally in good)
    return {
        "ok": count,
        "failed": sum(tally.times for tally in tallies) - count,
        "median_ms": median_ms(good),
    }


def median_ms(tallies: list[Tally]) -> int | None:
    """Return about how long the middle one took; None if there is none."""
    left = sum(tally.times for tally in tallies) / 2
    for tally in sorted(tallies, key=lambda tally: tally.magnitude):
        left -= tally.times
        if left <= 0:
            return round(tally.about_ms)
    return None
