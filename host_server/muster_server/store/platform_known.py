# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Answers that one process need not ask its database for again, because it would know of a change.

Only where no other process writes there. What is learnt in a transaction is right whatever becomes
of it: nothing is learnt from what a transaction, or a batch of the lane, has removed and may still
have to take back.
"""

import threading
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from muster_server import lane
from muster_server.store.platform_records import Resource
from muster_server.store.sql import Sql

_MOST = 65_536  # of each kind
_HOLDER = (
    "SELECT t.originator, r.kind, r.policy FROM tokens t"
    " LEFT JOIN readers r ON r.originator = t.originator WHERE t.hash = ?"
)
_NEVER = "A"  # after all times
_ENTITY, _CONTAINER, _SUBSCRIPTION = 2, 3, 23  # types

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
        # AEs that were made by this process and are as they were, by their ids and paths
        self.entities: dict[str, Resource] = {}
        self._lock = threading.Lock()  # of what is learnt when a transaction is over
        self._changes = 0  # of AEs
        self._unsure: lane.Batch | None = None
        self._unsure_of_tokens: lane.Batch | None = None

    def doubt(self) -> None:
        """Learn nothing in this batch, which may still be lost."""
        self._unsure = lane.batch()

    def doubt_tokens(self) -> None:
        """Learn nothing of tokens in this batch."""
        self._unsure_of_tokens = lane.batch()

    def forget(self) -> None:
        """Know nothing any more, and learn nothing in this transaction and batch."""
        self.doubt()
        self.clear()

    def clear(self) -> None:
        """Know nothing any more: what others have learnt meanwhile may be of before a change."""
        with self._lock:
            self.turn += 1
            self.next_end = None
            for known in (self.holders, self.owned, self.unsubscribed, self.have_read):
                known.clear()
            self.entities.clear()

    def entities_changed(self) -> None:
        """Forget all AEs, of which some are about to be changed."""
        with self._lock:
            self._changes += 1
            self.entities.clear()

    def entity_changed(self, resource: Resource) -> None:
        """Forget this AE, which is about to be changed."""
        with self._lock:
            self._changes += 1
            for key in (resource.ri, resource.path):
                self.entities.pop(key, None)

    @property
    def moment(self) -> tuple[int, int]:
        """Another one after each change of what `learn_made` learns, and each removal."""
        return self.turn, self._changes

    def learn_made(
        self, moment: tuple[int, int], holders: dict[str, Holder], entities: list[Resource]
    ) -> None:
        """Learn what a transaction has made that is on the disk now; AEs, if none was changed
        since the moment at which it began.
        """
        with self._lock:
            if self.is_shared or moment[0] != self.turn:
                return
            for hash_, holder in holders.items():
                _learn(self.holders, hash_, holder)
            for entity in entities if moment == self.moment else ():
                _learn(self.entities, entity.ri, entity)
                _learn(self.entities, entity.path, entity)

    def may_learn(self, turn: int) -> bool:
        """Tell whether a transaction that began at this turn may."""
        if self.is_shared or turn != self.turn:
            return False
        return self._unsure is None or self._unsure is not lane.batch()

    def may_learn_tokens(self) -> bool:
        """Tell whether no token was issued in this batch."""
        return self._unsure_of_tokens is None or self._unsure_of_tokens is not lane.batch()


class Asked:
    """The questions of one transaction whose answers may be known."""

    def __init__(self, sql: Sql, known: Known, turn: int, *, is_snapshot: bool) -> None:
        self._sql = sql
        self._known = known
        self._turn = turn
        self._is_snapshot = is_snapshot  # which others may be writing beside
        self.has_removed = False
        self._doubts = self._doubts_tokens = False
        self._accounts: set[str] = set()  # made in this transaction
        self._holders: dict[str, Holder] = {}  # of tokens of these
        self._entities: list[Resource] = []
        self._moment = known.moment

    def removed(self) -> None:
        """Something was removed, or a token given away, with whatever belonged to it."""
        self.has_removed = True
        self._known.forget()

    def doubt(self) -> None:
        """Something was changed that may be taken back: learn nothing that follows from it."""
        self._doubts = True
        self._known.doubt()

    def issued(self, hash_: str, originator: str) -> None:
        """A token was issued: what belongs to it is learnt when it is kept."""
        self._doubts_tokens = True
        self._known.doubt_tokens()
        if originator in self._accounts:  # no reader's, for no reader has no account
            self._holders[hash_] = Holder(originator, None, None)

    def account_made(self, originator: str) -> None:
        """An account was made in this transaction."""
        self._accounts.add(originator)

    def taken_back(self) -> None:
        """A part of the transaction was taken back: what it had made is not there."""
        for made in (self._accounts, self._holders, self._entities):
            made.clear()

    def over(self) -> None:
        """The transaction has worked: learn what it has made, or forget, when that is kept."""
        known = self._known
        if self.has_removed:
            lane.afterwards(known.clear)
        elif (self._holders or self._entities) and not known.is_shared:
            lane.afterwards(partial(known.learn_made, self._moment, self._holders, self._entities))

    def made(self, resource: Resource) -> None:
        """A resource was added; what it has and has not is right even if that is taken back."""
        self.added(resource.owner, resource.ty, resource.pi, resource.et)
        if resource.ty not in (_ENTITY, _CONTAINER) or not self._may_learn():
            return
        _learn(self._known.unsubscribed, resource.ri, None)
        if resource.ty == _ENTITY:
            _learn(self._known.owned, resource.ri, 1)
            self._entities.append(resource)

    def entity(self, key: str) -> Resource | None:
        """The AE with this id or at this path, if it is known."""
        return None if self._is_snapshot else self._known.entities.get(key)

    def changing(self, resource: Resource) -> None:
        """A resource is about to be changed."""
        if resource.ty == _ENTITY:
            self._known.entity_changed(resource)

    def changing_many(self) -> None:
        """Resources are about to be changed, AEs perhaps among them."""
        self._known.entities_changed()

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
            is_sure = not self._doubts_tokens and self._known.may_learn_tokens()
            if is_sure and self._may_learn():
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
