# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Notifications that are still to be delivered; a part of the platform's rows.

They are written in the transaction of the event, so that a restart loses none, and removed some
together once they are delivered or given up. What goes to a polling channel waits here until its
AE fetches it, as a *request*, in which several may be.
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from muster_server.store.sql import Sql, insertion

_KEPT = ("target", "subscription", "body", "at", "batch", "batch_s")
_INSERT = f"{insertion('notifications', (*_KEPT, 'request'))} RETURNING seq"
_SELECT = f"SELECT seq, {', '.join(_KEPT)} FROM notifications"  # noqa: S608 - our own names
_TO_BE_SENT = "request IS NULL"  # the others are fetched

# Of which nobody who sends them knows yet. Some of them, oldest first, and now somebody does.
_TAKE = (
    "UPDATE notifications SET taken = 1 WHERE seq IN"  # noqa: S608 - our own names
    f" (SELECT seq FROM notifications WHERE taken = 0 AND {_TO_BE_SENT} ORDER BY seq LIMIT ?)"
    f" RETURNING seq, {', '.join(_KEPT)}"
)
_NEXT = (
    "SELECT request FROM notifications WHERE target = ? AND request IS NOT NULL"
    " AND (fetched_at IS NULL OR fetched_at < ?) ORDER BY seq LIMIT 1"
)
_COUNT = (
    "SELECT count(DISTINCT request) FROM notifications WHERE target = ? AND request IS NOT NULL"
)
_OLDEST = (
    "SELECT request FROM notifications WHERE target = ? AND request IS NOT NULL"
    " ORDER BY seq LIMIT 1"
)
_FORGET = "DELETE FROM notifications WHERE target = ? AND request = ?"

RESULT = ""
CHANNEL = "pch:"
MOST_WAITING = 100  # requests for one AE


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

    @property
    def is_fetched(self) -> bool:
        """Tell whether it waits for its AE from the beginning, and nobody sends it."""
        return self.target.startswith(CHANNEL) and self.batch <= 1


class PlatformOutbox:
    """Questions and deeds within one transaction."""

    def __init__(self, sql: Sql) -> None:
        self._sql = sql
        self.added: list[Notice] = []  # in this transaction

    def add(self, notice: Notice) -> Notice:
        """Keep it until it is removed."""
        request = secrets.token_hex(8) if notice.is_fetched else None
        values = (getattr(notice, name) for name in _KEPT)
        kept = replace(notice, seq=int(self._sql.value(_INSERT, *values, request)))
        if request is not None:
            self._make_room(notice.target)
        self.added.append(kept)
        return kept

    def oldest(self, limit: int) -> list[Notice]:
        """The notices that have waited longest, in the order of their events."""
        found = self._sql.rows(f"{_SELECT} ORDER BY seq LIMIT ?", limit)
        return [_notice(row) for row in found]

    def remove(self, seqs: Iterable[int]) -> None:
        """Forget these."""
        self._sql.run_many("DELETE FROM notifications WHERE seq = ?", ((seq,) for seq in seqs))

    # --- who sends them

    def trim(self, newest: int) -> None:
        """Forget the oldest of more than these that are to be sent."""
        kept = f"SELECT seq FROM notifications WHERE {_TO_BE_SENT} ORDER BY seq DESC LIMIT ?"  # noqa: S608
        text = f"DELETE FROM notifications WHERE {_TO_BE_SENT} AND seq NOT IN ({kept})"  # noqa: S608
        self._sql.run(text, newest)

    def begin(self) -> None:
        """Let all be taken anew."""
        self._sql.run("UPDATE notifications SET taken = 0 WHERE taken <> 0")

    def take(self, limit: int) -> list[Notice]:
        """Take those that nobody has taken since `begin`, in the order of their events."""
        found = self._sql.rows(_TAKE, limit)
        return sorted((_notice(row) for row in found), key=lambda notice: notice.seq)

    # --- polling channels

    def offer(self, target: str, seqs: Iterable[int]) -> None:
        """Let these be fetched from a channel, as one request."""
        request = secrets.token_hex(8)
        text = "UPDATE notifications SET request = ? WHERE seq = ?"
        self._sql.run_many(text, ((request, seq) for seq in seqs))
        self._make_room(target)

    def has_request(self, target: str, before: float) -> bool:
        """Tell whether `fetch` would find something."""
        return self._sql.row(_NEXT, target, before) is not None

    def fetch(self, target: str, before: float, now: float) -> tuple[str, Sequence[Notice]] | None:
        """The oldest request at a channel that nobody has fetched, or not since `before`; its id
        and its notices. None if there is none.
        """
        request = self._sql.value(_NEXT, target, before)
        if request is None:
            return None
        self.note_fetched(target, request, now)
        text = f"{_SELECT} WHERE target = ? AND request = ? ORDER BY seq"
        return request, [_notice(row) for row in self._sql.rows(text, target, request)]

    def note_fetched(self, target: str, request: str, at: float | None) -> None:
        """Remember when it was fetched; None: it was not."""
        text = "UPDATE notifications SET fetched_at = ? WHERE target = ? AND request = ?"
        self._sql.run(text, at, target, request)

    def answered(self, target: str, request: str) -> bool:
        """Forget a request that was carried out; False if there is none with this id."""
        return self._sql.run(_FORGET, target, request) > 0

    def remove_without_ae(self) -> None:
        """Forget what waits for AEs that have gone."""
        self._sql.run(
            "DELETE FROM notifications WHERE request IS NOT NULL"  # noqa: S608 - our own names
            f" AND substr(target, {len(CHANNEL) + 1}) NOT IN (SELECT ri FROM resources)"
        )

    def _make_room(self, target: str) -> None:
        for _ in range(int(self._sql.value(_COUNT, target)) - MOST_WAITING):
            self._sql.run(_FORGET, target, self._sql.value(_OLDEST, target))


def _notice(row: Any) -> Notice:
    return Notice(**{name: row[name] for name in ("seq", *_KEPT)})
