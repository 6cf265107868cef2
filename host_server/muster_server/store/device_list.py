# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Lists and counts of an owner's devices, from indexes; a part of the records."""

from dataclasses import dataclass
from typing import Any

from muster_server.store.sql import Sql

_CODE = "json_extract(last, '$.code')"
# As standing.newest_attempt tells it; what has ended otherwise has its outcome code.
_ATTEMPTS = {
    "under_way": "status = 'handed_out'",
    "ok": f"status IN ('applied', 'registered') AND {_CODE} IS NULL",
    "none": f"status NOT IN ('handed_out', 'applied', 'registered') AND {_CODE} IS NULL",
}
_FAILED_SO = f"{_CODE} = ? AND status != 'handed_out'"
_SILENT = "owner = ? AND status = 'registered' AND seen_at <= ?"
_OWNED = "owner = ? AND state != 'released'"


@dataclass(frozen=True)
class Fit:
    """The claims that a list is to hold; None: any."""

    state: str | None = None
    profile: str | None = None
    attempt: str | None = None  # an outcome code, "under_way", "ok" or "none"
    silent_since: float | None = None  # not heard of after this, as far as the claim tells
    search: str | None = None  # a part of id or name, in small letters or capitals
    group: str | None = None
    tag: str | None = None
    behind: int | None = None  # has not proved what this effect of its profile makes


# By what a list is sorted, with the columns of the index that hold it; the id comes last.
SORTED = {"name": "name", "heard": "-coalesce(seen_at, 0)"}


class DeviceList:
    """Questions within one transaction."""

    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    def ids(self, owner: str, after: str, limit: int, fit: Fit) -> list[str]:
        """The next ids, in order, of devices with a claim that fits."""
        parts, values = _conditions(fit, owner)
        where = " AND ".join((_OWNED, "device_id > ?", *parts))
        text = f"SELECT DISTINCT device_id FROM claim WHERE {where} ORDER BY device_id LIMIT ?"  # noqa: S608
        return [row[0] for row in self._sql.rows(text, owner, after, *values, limit)]

    def sorted_ids(
        self, owner: str, by: str, after: tuple[str | float, str] | None, limit: int, fit: Fit
    ) -> list[tuple[str | float, str]]:
        """The next ids after this place, by one of SORTED, each with its place: a device with
        several claims may come with each of them.
        """
        column = SORTED[by]
        parts, values = _conditions(fit, owner)
        if after is not None:
            parts.append(f"({column}, device_id) > (?, ?)")
            values += after
        where = " AND ".join((_OWNED, *parts))
        text = (
            f"SELECT DISTINCT {column}, device_id FROM claim WHERE {where}"  # noqa: S608
            " ORDER BY 1, 2 LIMIT ?"
        )
        return [(row[0], row[1]) for row in self._sql.rows(text, owner, *values, limit)]

    def counts(self, owner: str) -> tuple[int, dict[str, int], dict[str, int]]:
        """The number of devices: all, by state, and by profile."""
        return self.number(owner), self.by_state(owner), self._by("profile", owner)

    def number(self, owner: str) -> int:
        """The number of devices."""
        text = f"SELECT count(*) FROM (SELECT DISTINCT device_id FROM claim WHERE {_OWNED}) AS d"  # noqa: S608
        return int(self._sql.value(text, owner))

    def by_state(self, owner: str) -> dict[str, int]:
        """The number of devices in each state."""
        return self._by("status", owner)

    def silent(self, owner: str, since: float, most: int) -> list[dict[str, Any]]:
        """Devices at work that have said nothing after this, the longest silent first."""
        text = (
            f"SELECT device_id, name, seen_at AS last_heard FROM claim WHERE {_SILENT}"  # noqa: S608
            " ORDER BY seen_at LIMIT ?"
        )
        return [dict(row) for row in self._sql.rows(text, owner, since, most)]

    def silent_count(self, owner: str, since: float) -> int:
        """The number of all of those."""
        text = f"SELECT count(*) FROM claim WHERE {_SILENT}"  # noqa: S608 - our own names
        return int(self._sql.value(text, owner, since))

    def states(self) -> dict[str, float]:
        """The number of claims in each state, of all owners."""
        text = "SELECT status, count(*) FROM claim WHERE state != 'released' GROUP BY status"
        return {row[0]: row[1] for row in self._sql.rows(text)}

    def codes(self) -> dict[str, float]:
        """The number of claims whose newest attempt failed, by outcome code, of all owners."""
        text = (
            f"SELECT {_CODE}, count(*) FROM claim WHERE {_CODE} IS NOT NULL"  # noqa: S608
            f" AND state != 'released' GROUP BY {_CODE}"
        )
        return {row[0]: row[1] for row in self._sql.rows(text)}

    def _by(self, column: str, owner: str) -> dict[str, int]:
        # In the order of an index, so that nothing is sorted.
        text = (
            f"SELECT {column}, count(*) FROM (SELECT DISTINCT {column}, device_id FROM claim"  # noqa: S608
            f" WHERE {_OWNED}) AS d GROUP BY {column} ORDER BY {column}"
        )
        return {row[0]: row[1] for row in self._sql.rows(text, owner)}


def _conditions(fit: Fit, owner: str) -> tuple[list[str], list[Any]]:
    parts: list[str] = []
    values: list[Any] = []
    for part, value in (
        ("status = ?", fit.state),
        ("profile = ?", fit.profile),
        ("(seen_at IS NULL OR seen_at <= ?)", fit.silent_since),
    ):
        if value is not None:
            parts.append(part)
            values.append(value)
    for table, name in (("device_group", fit.group), ("device_tag", fit.tag)):
        if name is not None:
            parts.append(
                f"device_id IN (SELECT device_id FROM {table}"  # noqa: S608 - our own names
                " WHERE owner = ? AND name = ?)"
            )
            values += [owner, name]
    if fit.behind is not None:
        parts.append("(runs IS NULL OR runs != ?)")
        values.append(fit.behind)
    if fit.attempt in _ATTEMPTS:
        parts.append(_ATTEMPTS[fit.attempt])
    elif fit.attempt is not None:
        parts.append(_FAILED_SO)
        values.append(fit.attempt)
    if fit.search is not None:
        like = f"%{_escaped(fit.search)}%"
        parts.append(
            r"(lower(device_id) LIKE lower(?) ESCAPE '\' OR lower(name) LIKE lower(?) ESCAPE '\')"
        )
        values += [like, like]
    return parts, values


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
