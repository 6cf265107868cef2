# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The platform's history of each originator; a part of the platform's rows.

The history is bounded: what repeats itself is counted, only the newest of each originator are
kept, and those of a closed account are forgotten in the end.
"""

from collections.abc import Collection
from dataclasses import dataclass

from muster_server.store.insertions import Insertion
from muster_server.store.platform_known import Asked
from muster_server.store.platform_turns import Turn
from muster_server.store.sql import Sql, marks

KEPT = 64
_LONGEST_DETAIL = 200

_OF_A_SIGHT = ("at", "what", "code", "detail", "until", "times")
_REPEATED = ("what", "code", "detail")
_ADD = Insertion("history", ("originator", "at", "until", "times", *_REPEATED))
_NEWEST = (
    "SELECT seq, what, code, detail,"
    " (SELECT count(*) FROM history WHERE originator = ?) AS kept"
    " FROM history WHERE originator = ? ORDER BY seq DESC LIMIT 1"
)
_AGAIN = 'UPDATE history SET times = times + 1, "until" = ? WHERE seq = ?'
_HAS = "SELECT 1 FROM history WHERE originator = ? AND what = ? LIMIT 1"
_ALL_OF = (
    'SELECT at, what, code, detail, "until", times FROM history WHERE originator = ? ORDER BY seq'
)
_FORGET_OLD = (
    "DELETE FROM history WHERE originator = ? AND seq NOT IN"
    " (SELECT seq FROM history WHERE originator = ? ORDER BY seq DESC LIMIT ?)"
)
_SOME = "SELECT DISTINCT originator FROM history WHERE originator > ? ORDER BY originator LIMIT ?"
_CLOSED = (
    "SELECT DISTINCT h.originator FROM history h"
    " WHERE NOT EXISTS (SELECT 1 FROM accounts a WHERE a.originator = h.originator)"
    " AND NOT EXISTS"
    ' (SELECT 1 FROM history n WHERE n.originator = h.originator AND n."until" >= ?)'
    " AND h.originator IN"
)


@dataclass(frozen=True)
class Sight:
    """One thing that the platform saw, or the same several times in a row."""

    at: float  # Unix time
    what: str  # e.g. "registered"
    code: str = "ok"  # an outcome code; what failed has another
    detail: str = ""
    until: float = 0.0  # of the last time
    times: int = 1


class PlatformHistory:
    """Questions and deeds within one transaction."""

    def __init__(self, sql: Sql, asked: Asked, turn: Turn) -> None:
        self._sql = sql
        self._asked = asked
        self._turn = turn

    def note(self, originator: str, *sights: Sight) -> None:
        """Write them down in this order, or count the first if the newest is the same. Each is
        another than the one before it.
        """
        self._turn.check_account(originator)
        former = self._sql.row(_NEWEST, originator, originator)
        if former is not None and tuple(former)[1:4] == _said(sights[0]):
            self._sql.run(_AGAIN, sights[0].at, former[0])
            sights = sights[1:]
        if not sights:
            return
        _ADD.run(self._sql, [(originator, s.at, s.at, 1, *_said(s)) for s in sights])
        if former is not None and former["kept"] + len(sights) > KEPT:
            self._sql.run(_FORGET_OLD, originator, originator, KEPT)

    def begin(self, originator: str, *sights: Sight) -> None:
        """Write down how an account begins. What an earlier one of its name has left is another's
        last, and is not counted; it is bounded with what is noted next.
        """
        self._turn.check_account(originator)
        _ADD.run(self._sql, [(originator, s.at, s.at, 1, *_said(s)) for s in sights])

    def note_first(self, originator: str, sight: Sight) -> None:
        """Write it down, unless such a thing is among what is remembered."""
        if self._asked.has_read(originator):
            return
        if self._sql.row(_HAS, originator, sight.what) is not None:
            self._asked.learn_read(originator)
            return
        self._asked.doubt()
        self.note(originator, sight)

    def of(self, originator: str) -> list[Sight]:
        """All that is remembered, in the order in which it was written down."""
        found = self._sql.rows(_ALL_OF, originator)
        return [Sight(**{name: row[name] for name in _OF_A_SIGHT}) for row in found]

    def closed(self, before: float, after: str, most: int) -> tuple[list[str], str]:
        """Look at the next originators after one, so many of them: those without an account, of
        which nothing was seen since then; and the last that was looked at, "" if there are no
        more.
        """
        found = [row[0] for row in self._sql.rows(_SOME, after, most)]
        closed = self._sql.rows(f"{_CLOSED} ({marks(found)})", before, *found)  # noqa: S608
        return [row[0] for row in closed], found[-1] if len(found) == most else ""

    def forget_closed(self, before: float, originators: Collection[str]) -> None:
        """Forget those of these that have no account, and of which nothing was seen since then."""
        text = f"DELETE FROM history WHERE originator IN ({_CLOSED} ({marks(originators)}))"  # noqa: S608
        if self._sql.run(text, before, *originators):
            self._asked.removed()


def _said(sight: Sight) -> tuple[str, str, str]:
    return sight.what, sight.code, sight.detail[:_LONGEST_DETAIL]
