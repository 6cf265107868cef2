# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Tallies: how often steps of onboardings ended how, and how long they took, by owner and day.

Counted when it is told, so that nobody has to look at all devices to know. Of a
duration its magnitude is kept: n for what took less than 2^n ms, and not less than half of that.

Where transactions run beside each other, each counts in a part that it draws: in one row all
devices of an owner would wait for each other's commit.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from secrets import randbelow

from muster_server.store.insertions import Insertion
from muster_server.store.sql import Sql

KEPT_DAYS = 90
DAY_S = 86400
PARTS = 64
_LONGEST = 31  # 2^31 ms are 24 days
_ROWS = Insertion(
    "step_tally",
    ("owner", "day", "step", "code", "magnitude", "part", "times"),
    "ON CONFLICT (owner, day, step, code, magnitude, part)"
    " DO UPDATE SET times = step_tally.times + excluded.times",
)
_OLD = "DELETE FROM step_tally WHERE owner = ? AND day < ?"
_SINCE = (
    "SELECT day, step, code, magnitude, CAST(sum(times) AS BIGINT) FROM step_tally"
    " WHERE owner = ? AND day >= ? GROUP BY day, step, code, magnitude"
    " ORDER BY day, step, code, magnitude"
)


@dataclass(frozen=True)
class Tally:
    """The times that a step ended with this code and a duration of this magnitude, on a day."""

    day: int  # since 1970-01-01, UTC
    step: int
    code: str
    magnitude: int
    times: int

    @property
    def about_ms(self) -> float:
        """The middle of what has this magnitude."""
        return 0.75 * 2**self.magnitude if self.magnitude else 0.0


class Tallies:
    """Questions and deeds within one transaction."""

    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    def add(self, owner: str, at: float, ended: Iterable[tuple[int, str, int]]) -> None:
        """Count steps that ended, each with its code and how long it took in ms."""
        day = int(at // DAY_S)
        counted: dict[tuple[int, str, int], int] = {}
        for step, code, ms in ended:
            key = (step, code, magnitude_of(ms))
            counted[key] = counted.get(key, 0) + 1
        if not counted:
            return
        part = randbelow(PARTS) if self._sql.is_shared else 0
        rows = [(owner, day, *key, part, times) for key, times in sorted(counted.items())]
        _ROWS.run(self._sql, rows)
        self._sql.run(_OLD, owner, day - KEPT_DAYS)

    def since(self, owner: str, day: int) -> list[Tally]:
        """All of an owner from this day on, in the order of days and steps."""
        return [Tally(*row) for row in self._sql.rows(_SINCE, owner, day)]


def magnitude_of(ms: int) -> int:
    """Return the magnitude of a duration."""
    return min(_LONGEST, max(0, ms).bit_length())
