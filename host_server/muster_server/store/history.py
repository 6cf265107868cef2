# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The history of a device, in the order of time; a part of the configuration server's records.

The history is bounded: what repeats itself is counted, and only the newest of each device are
kept.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

from muster_server.store.insertions import Insertion
from muster_server.store.sql import Row, Sql

KEPT = 256
# Of those, of each kind that strangers can bring about, or who once had the device: they must not
# push out what the owner looks for.
REFUSED, WINDOW_CLOSED = "refused", "window_closed"
STRANGERS_KEPT = 16
_BY_STRANGERS = (REFUSED, WINDOW_CLOSED)
_LONGEST_DETAIL = 200
# Rows that are read together: in them is what a sync asks for, mostly. A timeline has as many.
_RECENT = 32


class _Row(NamedTuple):
    device_id: str
    owner: str
    source: str
    at: float
    until: float
    times: int
    what: str
    step: int | None
    code: str
    ms: int | None
    detail: str


_MOMENT = ", ".join(("source", "at", "what", "step", "code", "ms", "detail", "until", "times"))
_ABOUT = "device_id = ? AND owner = ?"
_BY_OTHERS = "what NOT IN ({})".format(", ".join(f"'{what}'" for what in _BY_STRANGERS))
_SAID = "what, step, code, detail"
_NEWEST = (
    f"SELECT {_SAID}, times, id, source, at, ms FROM history"  # noqa: S608 - our own names
    f" WHERE {_ABOUT} ORDER BY id DESC LIMIT {_RECENT}"
)
_COUNT = "UPDATE history SET times = ?, until = ? WHERE id = ?"


def _newest(of_its_kind: str) -> str:
    return (
        f"SELECT {_SAID}, times, id FROM history WHERE {_ABOUT}"  # noqa: S608 - our own names
        f" AND {of_its_kind} AND source = ? ORDER BY id DESC LIMIT 1"
    )


def _drop_old(which: str) -> str:
    """All but the newest: those before the last that is kept."""
    return (
        f"DELETE FROM history WHERE {which} AND id <= (SELECT id FROM history"  # noqa: S608
        f" WHERE {which} ORDER BY id DESC LIMIT 1 OFFSET ?)"
    )


_NEWEST_OF_KIND, _NEWEST_OF_OTHERS = _newest("what = ?"), _newest(_BY_OTHERS)
_DROP_OLD, _DROP_OLD_OF_KIND = _drop_old(_ABOUT), _drop_old(f"{_ABOUT} AND what = ?")
_ALL = f"SELECT {_MOMENT} FROM history WHERE {_ABOUT} ORDER BY id"  # noqa: S608 - our own names
_AFTER = (
    "SELECT id, device_id, owner, source, at, what, step, code FROM history"
    " WHERE id > ? AND id <= ? ORDER BY id"
)
_TOLD = (
    f"SELECT at, step, code, ms FROM history WHERE {_ABOUT} AND source = 'device'"  # noqa: S608
    " AND ms IS NOT NULL ORDER BY id DESC LIMIT ?"
)


_ROWS = Insertion("history", _Row._fields)


@dataclass(frozen=True)
class Moment:
    """One thing that happened, or the same several times in a row."""

    source: str  # "device", "portal", "config", "platform"
    at: float  # Unix time; what a device reports is reckoned back from its report's arrival
    what: str  # e.g. "handed_out"; the portal has the words for it
    step: int | None = None
    code: str = "ok"
    ms: int | None = None
    detail: str = ""
    until: float = 0.0  # of the last time; only if `times` is above 1
    times: int = 1


class Told(NamedTuple):
    """An entry of a device's own timeline."""

    at: float
    step: int
    code: str
    ms: int
    detail: str = ""


class History:
    """Questions and deeds within one transaction."""

    def __init__(self, sql: Sql) -> None:
        self._sql = sql
        self._kept_back: list[_Row] | None = None
        # Of a device and an owner: the newest rows, the newest first, and the number of all, as
        # far as this transaction knows.
        self._recent: dict[tuple[str, str], list[Row]] = {}
        self._numbers: dict[tuple[str, str], int] = {}

    def forget_read(self) -> None:
        """Read again whatever is asked for from now on."""
        self._recent.clear()
        self._numbers.clear()

    @contextmanager
    def together(self) -> Iterator[None]:
        """Write down what is noted in the block at its end, all together; or before, for a
        question that is asked in it.
        """
        self._kept_back = []
        try:
            yield
            self._write()
        finally:
            self._kept_back = None

    def note(self, device_id: str, owner: str, moment: Moment) -> None:
        """Write it down, or count it if the newest of its source is the same. What strangers
        bring about is a row of its own: one between two others that are the same does not part
        them.
        """
        self._note(_row(device_id, owner, moment))

    def note_now(
        self,
        device_id: str,
        owner: str,
        at: float,
        what: str,
        source: str = "config",
        step: int | None = None,
        code: str = "ok",
        ms: int | None = None,
        detail: str = "",
    ) -> None:
        """Note something that has happened once, as `note` does."""
        said = (what, step, code, ms, detail[:_LONGEST_DETAIL])
        self._note(_Row(device_id, owner, source, at, at, 1, *said))

    def _note(self, row: _Row) -> None:
        # What a device reports comes with an order of its own, and is never counted.
        if row.source == "device" or not self._is_counted(row):
            self._put([row])

    def add_told(self, device_id: str, owner: str, told: Iterable[Told]) -> None:
        """Write down what a device's timeline tells, each in a row of its own, in this order."""
        who = (device_id, owner, "device")
        self._put(
            [
                _Row(*who, at, at, 1, "step", step, code, ms, detail[:_LONGEST_DETAIL])
                for at, step, code, ms, detail in told
            ]
        )

    def _put(self, rows: list[_Row]) -> None:
        if self._kept_back is not None:
            self._kept_back += rows
        else:
            self._add(rows)

    def _write(self) -> None:
        if self._kept_back:
            added, self._kept_back = self._kept_back, []
            self._add(added)

    def _add(self, added: list[_Row]) -> None:
        _ROWS.run(self._sql, added)
        for of_kind in {(*row[:2], row.what) for row in added if row.what in _BY_STRANGERS}:
            self._sql.run(_DROP_OLD_OF_KIND, *of_kind, *of_kind, STRANGERS_KEPT)
        for about in {row[:2] for row in added}:
            self._recent.pop(about, None)
            number = self._numbers.pop(about, KEPT) + len(added)
            if number <= KEPT:
                self._numbers[about] = number
            else:
                self._sql.run(_DROP_OLD, *about, *about, KEPT)

    def _recently(self, about: tuple[str, str]) -> tuple[list[Row], bool]:
        """The newest rows, the newest first, and whether they are all that there are."""
        rows = self._recent.get(about)
        if rows is None:
            rows = self._recent[about] = self._sql.rows(_NEWEST, *about)
            if len(rows) < _RECENT:
                self._numbers[about] = len(rows)
        return rows, len(rows) < _RECENT

    def _is_counted(self, row: _Row) -> bool:
        said, is_strange = _said(row), row.what in _BY_STRANGERS
        back = self._kept_back or []
        for n in reversed(range(len(back))):
            former = back[n]
            if former[:3] == row[:3] and _is_beside(former.what, row.what, is_strange):
                if _said(former) != said:
                    return False
                back[n] = former._replace(times=former.times + row.times, until=row.until)
                return True
        found = self._newest_beside(row, is_strange)
        if found is None or tuple(found)[:4] != said:
            return False
        self._recent.pop(row[:2], None)
        self._sql.run(_COUNT, found["times"] + row.times, row.until, found["id"])
        return True

    def _newest_beside(self, row: _Row, is_strange: bool) -> Row | None:
        rows, are_all = self._recently(row[:2])
        for found in rows:
            if found["source"] == row.source and _is_beside(found["what"], row.what, is_strange):
                return found
        if are_all:
            return None
        if is_strange:
            return self._sql.row(_NEWEST_OF_KIND, *row[:2], row.what, row.source)
        return self._sql.row(_NEWEST_OF_OTHERS, *row[:2], row.source)

    def of(self, device_id: str, owner: str) -> list[Moment]:
        """All that is remembered, in the order in which it was written down."""
        self._write()
        return [Moment(*row) for row in self._sql.rows(_ALL, device_id, owner)]

    def newest_id(self) -> int:
        """The number of the newest moment of all; 0 if there is none."""
        self._write()
        return int(self._sql.value("SELECT max(id) FROM history") or 0)

    def between(self, after: int, last: int) -> list[dict[str, Any]]:
        """Moments of all devices with numbers above the first and up to the last, in order."""
        self._write()
        return [dict(row) for row in self._sql.rows(_AFTER, after, last)]

    def told_by_device(self, device_id: str, owner: str, most: int) -> list[Told]:
        """The newest that the device's own timeline told, the oldest of them first; without
        details.
        """
        if any(row.source == "device" for row in self._kept_back or ()):
            self._write()
        rows, are_all = self._recently((device_id, owner))
        told = [row for row in rows if row["source"] == "device" and row["ms"] is not None]
        if len(told) < most and not are_all:
            told = self._sql.rows(_TOLD, device_id, owner, most)
        newest = reversed(told[:most])
        return [Told(row["at"], row["step"], row["code"], row["ms"]) for row in newest]


def _is_beside(former: str, what: str, is_strange: bool) -> bool:
    """Tell whether one would be counted if it said the same as the other, of the same source."""
    if is_strange:
        return former == what
    return former not in _BY_STRANGERS


def _said(row: _Row) -> tuple[Any, ...]:
    return row.what, row.step, row.code, row.detail


def _row(device_id: str, owner: str, moment: Moment) -> _Row:
    return _Row(
        *(device_id, owner, moment.source, moment.at, max(moment.at, moment.until)),
        *(moment.times, moment.what, moment.step, moment.code, moment.ms),
        moment.detail[:_LONGEST_DETAIL],
    )
