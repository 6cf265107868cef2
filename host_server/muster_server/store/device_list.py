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
# In words that let an index begin there.
_AFTER = "{0} >= ? AND ({0} > ? OR device_id > ?)"
_UP_TO = "{0} <= ? AND ({0} < ? OR device_id <= ?)"

Place = tuple[str | float, str]


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

    @property
    def is_searched(self) -> bool:
        """Tell whether no index leads to just those, so that others are looked at, too."""
        alone = (self.state, self.group, self.tag, self.attempt)
        others = (self.profile, self.silent_since, self.search, self.behind)
        are_others = any(value is not None for value in others)
        return are_others or self.attempt in ("ok", "none") or sum(map(bool, alone)) > 1


# By what a list is sorted, as an index has it; the id comes last.
SORTED = {"name": "name", "heard": "-coalesce(seen_at, 0)"}
# So many are looked at by one search, which then tells where it stopped.
WINDOW = 100_000
_FEW = 5000  # are sorted, rather than looked for among all


class DeviceList:
    """Questions within one transaction."""

    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    def ids(self, owner: str, after: str, limit: int, fit: Fit) -> tuple[list[str], str | None]:
        """The next ids, in order, of devices with a claim that fits; and where the search stopped
        if it did so before its end: then there may be more, however few were found.
        """
        source, own = _source(fit, owner)
        parts, values = _conditions(fit)
        stop = self._window_end(owner, after, fit) if fit.is_searched else None
        column = "led" if own else "device_id"
        if stop is not None:
            parts.append(f"{column} <= ?")
            values.append(stop)
        where = " AND ".join((_OWNED, f"{column} > ?", *parts))
        text = f"SELECT DISTINCT {column} FROM {source} WHERE {where} ORDER BY {column} LIMIT ?"  # noqa: S608
        rows = self._sql.rows(text, *own, owner, after, *values, limit)
        return [row[0] for row in rows], stop if len(rows) < limit else None

    def _window_end(self, owner: str, after: str, fit: Fit) -> str | None:
        """The id up to which a search goes, None for all: by the index that leads it."""
        which, values = _lead(fit, owner)
        text = (
            f"SELECT device_id FROM {which} AND device_id > ?"  # noqa: S608 - our own names
            " ORDER BY device_id LIMIT 1 OFFSET ?"
        )
        found: str | None = self._sql.value(text, *values, after, WINDOW - 1)
        return found

    def sorted_ids(
        self, owner: str, by: str, after: Place | None, limit: int, fit: Fit
    ) -> tuple[list[Place], Place | None]:
        """The next ids after this place, by one of SORTED, each with its place: a device with
        several claims may come with each of them. And where the search stopped, as in `ids`.
        """
        column = SORTED[by]
        source, own = _source(Fit(), owner)
        stop = None
        if self._are_few(owner, fit):
            source, own = _source(fit, owner)
            parts, values = _conditions(fit)
        else:
            parts, values = _conditions(fit, is_led=False)
            stop = self._sorted_end(owner, column, after) if fit != Fit() else None
        if after is not None:
            parts.append(_AFTER.format(column))
            values += [after[0], *after]
        if stop is not None:
            parts.append(_UP_TO.format(column))
            values += [stop[0], *stop]
        where = " AND ".join((_OWNED, *parts))
        text = (
            f"SELECT DISTINCT {column}, device_id FROM {source} WHERE {where}"  # noqa: S608
            " ORDER BY 1, 2 LIMIT ?"
        )
        rows = self._sql.rows(text, *own, owner, *values, limit)
        return [(row[0], row[1]) for row in rows], stop if len(rows) < limit else None

    def _sorted_end(self, owner: str, column: str, after: Place | None) -> Place | None:
        where, values = _OWNED, [owner]
        if after is not None:
            where = f"{where} AND {_AFTER.format(column)}"
            values += [after[0], *after]  # type: ignore[list-item]
        text = (
            f"SELECT {column}, device_id FROM claim WHERE {where}"  # noqa: S608
            " ORDER BY 1, 2 LIMIT 1 OFFSET ?"
        )
        row = self._sql.row(text, *values, WINDOW - 1)
        return None if row is None else (row[0], row[1])

    def _are_few(self, owner: str, fit: Fit) -> bool:
        """Tell whether a group or a tag leads to so few that they can be sorted."""
        if fit.tag is None and fit.group is None:
            return False
        which, values = _lead(fit, owner)
        text = f"SELECT count(*) FROM (SELECT 1 FROM {which} LIMIT ?) AS few"  # noqa: S608
        return bool(self._sql.value(text, *values, _FEW) < _FEW)

    def has_more_than(self, owner: str, number: int) -> bool:
        """Tell whether the owner has more claims than that."""
        text = f"SELECT count(*) FROM (SELECT 1 FROM claim WHERE {_OWNED} LIMIT ?) AS few"  # noqa: S608
        return bool(self._sql.value(text, owner, number + 1) > number)

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


def _source(fit: Fit, owner: str) -> tuple[str, list[Any]]:
    """The claims, led by those with the tag or in the group that is wanted."""
    for table, name in _sorting(fit):
        led = (
            f"(SELECT device_id AS led FROM {table} WHERE owner = ? AND name = ?) AS those"  # noqa: S608
            " CROSS JOIN claim"
        )
        return led, [owner, name]
    return "claim", []


def _sorting(fit: Fit) -> list[tuple[str, str]]:
    """Return what the device is sorted into, the one first that leads."""
    named = (("device_tag", fit.tag), ("device_group", fit.group))
    return [(table, name) for table, name in named if name is not None]


def _lead(fit: Fit, owner: str) -> tuple[str, list[Any]]:
    """The index that leads a search in the order of ids, as `table WHERE …`, with its values."""
    for table, name in _sorting(fit):
        return f"{table} WHERE owner = ? AND name = ?", [owner, name]
    if fit.attempt is not None and fit.attempt not in _ATTEMPTS:
        return f"claim WHERE owner = ? AND {_CODE} = ?", [owner, fit.attempt]
    if fit.state is not None:
        return f"claim WHERE {_OWNED} AND status = ?", [owner, fit.state]
    if fit.profile is not None:
        return "claim WHERE profile = ?", [fit.profile]
    return f"claim WHERE {_OWNED}", [owner]


def _conditions(fit: Fit, *, is_led: bool = True) -> tuple[list[str], list[Any]]:
    """Return what else is wanted of a claim; `is_led`: its source is as `_source` tells."""
    parts: list[str] = []
    values: list[Any] = []
    sorting = _sorting(fit)
    if sorting and is_led:
        # Not "= led": SQLite would look through all claims from a place on, for each of those.
        parts.append("device_id = coalesce(led, '')")
        sorting = sorting[1:]
    for part, value in (
        ("status = ?", fit.state),
        ("profile = ?", fit.profile),
        ("(seen_at IS NULL OR seen_at <= ?)", fit.silent_since),
        ("(runs IS NULL OR runs != ?)", fit.behind),
    ):
        if value is not None:
            parts.append(part)
            values.append(value)
    for table, name in sorting:
        parts.append(
            f"EXISTS (SELECT 1 FROM {table} d WHERE d.owner = claim.owner"  # noqa: S608
            " AND d.device_id = claim.device_id AND d.name = ?)"
        )
        values.append(name)
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
