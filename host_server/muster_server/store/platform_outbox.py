# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Notifications that are still to be delivered; a part of the platform's rows.

They are written in the transaction of the event, so that a restart loses none, and removed some
together once they are delivered or given up.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import sqlalchemy as sa
from sqlalchemy import Connection

_notifications = sa.Table(
    "notifications",
    sa.MetaData(),
    sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("target", sa.String(512)),
    sa.Column("subscription", sa.String(64)),
    sa.Column("body", sa.Text),
    sa.Column("batch", sa.Integer),
    sa.Column("batch_s", sa.Float),
    sa.Column("at", sa.Float),
)


RESULT = ""


@dataclass(frozen=True)
class Notice:
    """One notification for one target: a URL, or "pch:" and the AE-ID of who polls."""

    target: str
    subscription: str  # the id; RESULT: it tells what became of a request
    body: str  # of the notification, compact JSON, e.g. '{"nev":{…},"sur":"/id-in/sub1"}'
    at: float
    batch: int = 0  # so many are sent together, 0: each alone
    batch_s: float = 0.0  # or those that there are after this time
    seq: int = 0  # given by the store


class PlatformOutbox:
    """Questions and deeds within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.added: list[Notice] = []  # in this transaction

    def add(self, notice: Notice) -> Notice:
        """Keep it until it is removed."""
        values = {name: getattr(notice, name) for name in Notice.__dataclass_fields__}
        del values["seq"]
        key = self._connection.execute(sa.insert(_notifications).values(values))
        kept = replace(notice, seq=int((key.inserted_primary_key or (0,))[0]))
        self.added.append(kept)
        return kept

    def oldest(self, limit: int) -> list[Notice]:
        """The notices that have waited longest, in the order of their events."""
        question = sa.select(_notifications).order_by(_notifications.c.seq).limit(limit)
        return [Notice(**row) for row in self._connection.execute(question).mappings()]

    def remove(self, seqs: Iterable[int]) -> None:
        """Forget these."""
        listed = list(seqs)
        for n in range(0, len(listed), 500):
            some = _notifications.c.seq.in_(listed[n : n + 500])
            self._connection.execute(sa.delete(_notifications).where(some))

    def remove_all_but(self, newest: int) -> None:
        """Forget the oldest of more than these."""
        kept = sa.select(_notifications.c.seq).order_by(_notifications.c.seq.desc()).limit(newest)
        self._connection.execute(
            sa.delete(_notifications).where(_notifications.c.seq.not_in(kept))
        )
