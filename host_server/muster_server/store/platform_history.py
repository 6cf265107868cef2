# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The platform's history of each originator; a part of the platform's rows.

The history is bounded: what repeats itself is counted, only the newest of each originator are
kept, and those of a closed account are forgotten in the end.
"""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection

KEPT = 64

_history = sa.Table(
    "history",
    sa.MetaData(),
    sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("originator", sa.String(64)),
    sa.Column("at", sa.Float),
    sa.Column("until", sa.Float),
    sa.Column("times", sa.Integer),
    sa.Column("what", sa.String(32)),
    sa.Column("code", sa.String(32)),
    sa.Column("detail", sa.String(200)),
)
_accounts = sa.table("accounts", sa.column("originator"))


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

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def note(self, originator: str, sight: Sight) -> None:
        """Write it down, or count it if the newest is the same."""
        of_it = _history.c.originator == originator
        newest = sa.select(_history).where(of_it).order_by(_history.c.seq.desc())
        former = self._connection.execute(newest.limit(1)).mappings().first()
        same = {"what": sight.what, "code": sight.code, "detail": sight.detail[:200]}
        if former is not None and same.items() <= former.items():
            again = sa.update(_history).where(_history.c.seq == former["seq"])
            counted = {"times": former["times"] + 1, "until": sight.at}
            self._connection.execute(again.values(counted))
            return
        row = same | {"originator": originator, "at": sight.at, "until": sight.at, "times": 1}
        self._connection.execute(sa.insert(_history).values(row))
        kept = sa.select(_history.c.seq).where(of_it).order_by(_history.c.seq.desc()).limit(KEPT)
        self._connection.execute(sa.delete(_history).where(of_it & _history.c.seq.not_in(kept)))

    def has(self, originator: str, what: str) -> bool:
        """Tell whether this is among what is remembered."""
        found = sa.select(_history.c.seq).where(
            _history.c.originator == originator, _history.c.what == what
        )
        return self._connection.execute(found.limit(1)).first() is not None

    def of(self, originator: str) -> list[Sight]:
        """All that is remembered, in the order in which it was written down."""
        names = Sight.__dataclass_fields__
        question = sa.select(*(_history.c[name] for name in names))
        question = question.where(_history.c.originator == originator).order_by(_history.c.seq)
        return [Sight(**row) for row in self._connection.execute(question).mappings()]

    def forget_closed(self, before: float) -> None:
        """Forget originators without an account, of which nothing was seen since then."""
        with_account = sa.select(_accounts.c.originator)
        recent = sa.select(_history.c.originator).where(_history.c.until >= before)
        self._connection.execute(
            sa.delete(_history).where(
                _history.c.originator.not_in(with_account), _history.c.originator.not_in(recent)
            )
        )
