# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Answers that one process need not ask its database for again, because it would know of a change.

Only where no other process writes there. What is learnt in a transaction is right whatever becomes
of it: nothing is learnt from what a transaction, or a batch of the lane, has removed and may still
have to take back.
"""

from dataclasses import dataclass
from typing import TypeVar

from muster_server import lane
from muster_server.store.sql import Sql

_MOST = 65_536  # of each kind
_HOLDER = (
    "SELECT t.originator, r.kind, r.policy FROM tokens t"
    " LEFT JOIN readers r ON r.originator = t.originator WHERE t.hash = ?"
)
_NEVER = "A"  # after all times
_SUBSCRIPTION = 23  # a type

V = TypeVar("V")


@dataclass(frozen=True)
class Holder:
    """The originator that a token belongs to; `kind` and `policy` if it is no device's."""

    originator: str
    kind: str | None
    policy: str | None


class Known:
    """The answers of all transactions on one database."""

    def __init__(self, *, is_shared: bool) -> None:
        self.is_shared = is_shared
        self.turn = 0  # another number after each change that is not followed up one by one
        self.holders: dict[str, Holder] = {}  # by the token's hash
        self.next_end: str | None = None  # no `et` is earlier; None: nobody knows
        self.owned: dict[str, int] = {}  # no AE has more resources
        self.unsubscribed: dict[str, None] = {}  # ids of resources without a subscription
        self.have_read: dict[str, None] = {}  # originators whose first reading is written down
        self._unsure: lane.Batch | None = None

    def doubt(self) -> None:
        """Learn nothing in this batch, which may still be lost."""
        self._unsure = lane.batch()

    def forget(self) -> None:
        """Know nothing any more, and learn nothing in this transaction and batch."""
        self.doubt()
        self.clear()

    def clear(self) -> None:
        """Know nothing any more: what others have learnt meanwhile may be of before a change."""
        self.turn += 1
        self.next_end = None
        for known in (self.holders, self.owned, self.unsubscribed, self.have_read):
            known.clear()

    def may_learn(self, turn: int) -> bool:
        """Tell whether a transaction that began at this turn may."""
        if self.is_shared or turn != self.turn:
            return False
        return self._unsure is None or self._unsure is not lane.batch()


class Asked:
    """The questions of one transaction whose answers may be known."""

    def __init__(self, sql: Sql, known: Known, turn: int, *, is_snapshot: bool) -> None:
        self._sql = sql
        self._known = known
        self._turn = turn
        self._is_snapshot = is_snapshot  # which others may be writing beside
        self.has_removed = False
        self._doubts = False

    def removed(self) -> None:
        """Something was removed, or a token given away, with whatever belonged to it."""
        self.has_removed = True
        self._known.forget()

    def doubt(self) -> None:
        """Something was changed that may be taken back: learn nothing that follows from it."""
        self._doubts = True
        self._known.doubt()

    def added(self, owner: str | None, ty: int, pi: str, end: str | None) -> None:
        """A resource was added or changed, with this `et`."""
        known = self._known
        if end is not None and known.next_end is not None and end < known.next_end:
            known.next_end = end
        if owner is not None and owner in known.owned:
            known.owned[owner] += 1
        if ty == _SUBSCRIPTION:
            known.unsubscribed.pop(pi, None)

    def _may_learn(self) -> bool:
        return not self._doubts and self._known.may_learn(self._turn)

    def holder(self, hash_: str) -> Holder | None:
        """The holder of the token with this hash."""
        found = self._known.holders.get(hash_)
        if found is None:
            row = self._sql.row(_HOLDER, hash_)
            if row is None:
                return None
            found = Holder(row[0], row[1], row[2])
            if self._may_learn():
                _learn(self._known.holders, hash_, found)
        return found

    def has_expired(self, now: str) -> bool:
        """Tell whether the life of a resource is over."""
        end = self._known.next_end
        if end is not None and end > now:
            return False
        found = self._sql.value("SELECT min(et) FROM resources") or _NEVER
        if not self._is_snapshot and self._may_learn():
            self._known.next_end = found
        return bool(found <= now)

    def owns(self, owner: str, count: int) -> bool:
        """Tell whether an AE has so many resources, itself included."""
        most = self._known.owned.get(owner)
        if most is not None and most < count:
            return False
        found = int(self._sql.value("SELECT count(*) FROM resources WHERE owner = ?", owner))
        if not self._is_snapshot and self._may_learn():
            _learn(self._known.owned, owner, found)
        return found >= count

    def is_unsubscribed(self, ri: str) -> bool:
        """Tell whether it is known that nobody subscribes to this resource."""
        return ri in self._known.unsubscribed

    def learn_unsubscribed(self, ri: str) -> None:
        """Nobody subscribes to it, as this transaction has found."""
        if not self._is_snapshot and self._may_learn():
            _learn(self._known.unsubscribed, ri, None)

    def has_read(self, originator: str) -> bool:
        """Tell whether it is known that the first reading is written down."""
        return originator in self._known.have_read

    def learn_read(self, originator: str) -> None:
        """The first reading is written down, as this transaction has found."""
        if not self._is_snapshot and self._may_learn():
            _learn(self._known.have_read, originator, None)


def _learn(known: dict[str, V], key: str, value: V) -> None:
    if len(known) >= _MOST:
        known.clear()
    known[key] = value
