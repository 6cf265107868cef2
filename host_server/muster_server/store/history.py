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

from muster_server.frozen import replaced
from muster_server.store.sql import Sql, insertion

KEPT = 256
# Of those, of each kind that strangers can bring about, or who once had the device: they must not
# push out what the owner looks for.
REFUSED, WINDOW_CLOSED = "refused", "window_closed"
STRANGERS_KEPT = 16
_BY_STRANGERS = (REFUSED, WINDOW_CLOSED)
_LONGEST_DETAIL = 200

_COLUMNS = (
    *("device_id", "owner", "source", "at", "until", "times", "what", "step", "code", "ms"),
    "detail",
)
_MOMENT = ", ".join(("source", "at", "what", "step", "code", "ms", "detail", "until", "times"))
_ABOUT = "device_id = ? AND owner = ?"
_BY_OTHERS = "what NOT IN ({})".format(", ".join(f"'{what}'" for what in _BY_STRANGERS))
_ADD = insertion("history", _COLUMNS)
_COUNT = "UPDATE history SET times = ?, until = ? WHERE id = ?"


def _newest(of_its_kind: str) -> str:
    return (
        f"SELECT id, what, step, code, detail, times FROM history WHERE {_ABOUT}"  # noqa: S608
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


class History:
    """Questions and deeds within one transaction."""

    def __init__(self, sql: Sql) -> None:
        self._sql = sql
        self._kept_back: list[tuple[str, str, Moment]] | None = None

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
        # What a device reports comes with an order of its own, and is never counted.
        if moment.source != "device" and self._is_counted(device_id, owner, moment):
            return
        self.add(device_id, owner, (moment,))

    def add(self, device_id: str, owner: str, moments: Iterable[Moment]) -> None:
        """Write all of them down, each in a row of its own, in this order."""
        added = [(device_id, owner, moment) for moment in moments]
        if self._kept_back is not None:
            self._kept_back += added
        else:
            self._add(added)

    def _write(self) -> None:
        if self._kept_back:
            added, self._kept_back = self._kept_back, []
            self._add(added)

    def _add(self, added: list[tuple[str, str, Moment]]) -> None:
        if not added:
            return
        self._sql.run_many(_ADD, [_row(*each) for each in added])
        for of_kind in {(*who, moment.what) for *who, moment in added if _is_strange(moment)}:
            self._sql.run(_DROP_OLD_OF_KIND, *of_kind, *of_kind, STRANGERS_KEPT)
        for about in {(device_id, owner) for device_id, owner, _ in added}:
            self._sql.run(_DROP_OLD, *about, *about, KEPT)

    def _is_counted(self, device_id: str, owner: str, moment: Moment) -> bool:
        until = max(moment.at, moment.until)
        back = self._kept_back or []
        for n in reversed(range(len(back))):
            former = back[n][2]
            if back[n][:2] == (device_id, owner) and _is_beside(former, moment):
                if _said(former) != _said(moment):
                    return False
                times = former.times + moment.times
                back[n] = (device_id, owner, replaced(former, times=times, until=until))
                return True
        if _is_strange(moment):
            kind = (device_id, owner, moment.what, moment.source)
            row = self._sql.row(_NEWEST_OF_KIND, *kind)
        else:
            row = self._sql.row(_NEWEST_OF_OTHERS, device_id, owner, moment.source)
        if row is None or tuple(row)[1:5] != _said(moment):
            return False
        self._sql.run(_COUNT, row["times"] + moment.times, until, row["id"])
        return True

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
        """The newest that the device's own timeline told, the oldest of them first."""
        if any(moment.source == "device" for _, _, moment in self._kept_back or ()):
            self._write()
        return [Told(*row) for row in reversed(self._sql.rows(_TOLD, device_id, owner, most))]


def _is_strange(moment: Moment) -> bool:
    return moment.what in _BY_STRANGERS


def _is_beside(former: Moment, moment: Moment) -> bool:
    """Tell whether one would be counted if it said the same as the other."""
    is_alike = _is_strange(former) is _is_strange(moment)
    is_of_kind = former.what == moment.what or not _is_strange(moment)
    return former.source == moment.source and is_alike and is_of_kind


def _said(moment: Moment) -> tuple[Any, ...]:
    return moment.what, moment.step, moment.code, moment.detail[:_LONGEST_DETAIL]


def _row(device_id: str, owner: str, moment: Moment) -> tuple[Any, ...]:
    return (
        *(device_id, owner, moment.source, moment.at, max(moment.at, moment.until)),
        *(moment.times, moment.what, moment.step, moment.code, moment.ms),
        moment.detail[:_LONGEST_DETAIL],
    )
