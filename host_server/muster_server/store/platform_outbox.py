# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Notifications that are still to be delivered; a part of the platform's rows.

They are written in the transaction of the event, so that a restart loses none, and removed some
together once they are delivered or given up.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from muster_server.store.sql import Sql, insertion

_KEPT = ("target", "subscription", "body", "at", "batch", "batch_s")
_INSERT = f"{insertion('notifications', _KEPT)} RETURNING seq"
_SELECT = f"SELECT seq, {', '.join(_KEPT)} FROM notifications"  # noqa: S608 - our own names

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

    def __init__(self, sql: Sql) -> None:
        self._sql = sql
        self.added: list[Notice] = []  # in this transaction

    def add(self, notice: Notice) -> Notice:
        """Keep it until it is removed."""
        seq = self._sql.value(_INSERT, *(getattr(notice, name) for name in _KEPT))
        kept = replace(notice, seq=int(seq))
        self.added.append(kept)
        return kept

    def oldest(self, limit: int) -> list[Notice]:
        """The notices that have waited longest, in the order of their events."""
        found = self._sql.rows(f"{_SELECT} ORDER BY seq LIMIT ?", limit)
        return [_notice(row) for row in found]

    def remove(self, seqs: Iterable[int]) -> None:
        """Forget these."""
        self._sql.run_many("DELETE FROM notifications WHERE seq = ?", ((seq,) for seq in seqs))

    def remove_all_but(self, newest: int) -> None:
        """Forget the oldest of more than these."""
        kept = "SELECT seq FROM notifications ORDER BY seq DESC LIMIT ?"
        self._sql.run(f"DELETE FROM notifications WHERE seq NOT IN ({kept})", newest)  # noqa: S608


def _notice(row: Any) -> Notice:
    return Notice(**{name: row[name] for name in ("seq", *_KEPT)})
