# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The store of the platform: the resource tree, and accounts with their hashed tokens.

One request is one transaction: `with store.transaction() as rows` gives the questions and deeds
below, and what they did is kept if the block ends without an exception.
"""

import json
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, Row
from sqlalchemy.exc import IntegrityError

from muster_server.store.engine import Database
from muster_server.store.platform_history import PlatformHistory
from muster_server.store.platform_outbox import PlatformOutbox
from muster_server.store.platform_policies import (
    RETRIEVAL_DISABLED,
    PlatformPolicies,
    marks_of,
    opened_to,
)
from muster_server.store.platform_readers import PlatformReaders, members_of
from muster_server.store.platform_records import Reach as Reach
from muster_server.store.platform_records import Resource as Resource
from muster_server.store.platform_records import Token as Token
from muster_server.store.platform_search import Filter, fitting

HEAD = "0005"

_metadata = sa.MetaData()
_resources = sa.Table(
    "resources",
    _metadata,
    sa.Column("seq", sa.Integer, primary_key=True),  # the order of creation
    sa.Column("ri", sa.String(64)),
    sa.Column("ty", sa.Integer),
    sa.Column("rn", sa.String(64)),
    sa.Column("pi", sa.String(64)),
    sa.Column("path", sa.String(512)),
    sa.Column("owner", sa.String(64)),
    sa.Column("ct", sa.String(22)),
    sa.Column("lt", sa.String(22)),
    sa.Column("et", sa.String(22)),
    sa.Column("attributes", sa.Text),
    sa.Column("creator", sa.String(64)),
    sa.Column("governed_by", sa.String(64)),
)
_marks = sa.Table(
    "marks",
    _metadata,
    sa.Column("ri", sa.String(64)),
    sa.Column("kind", sa.String(8)),
    sa.Column("value", sa.String(256)),
)
_accounts = sa.Table(
    "accounts",
    _metadata,
    sa.Column("originator", sa.String(64)),
    sa.Column("ct", sa.String(22)),
)
_tokens = sa.Table(
    "tokens",
    _metadata,
    sa.Column("token_id", sa.String(32)),
    sa.Column("originator", sa.String(64)),
    sa.Column("hash", sa.String(64)),
    sa.Column("ct", sa.String(22)),
)

INSTANCE, REQUEST, SUBSCRIPTION = 4, 17, 23  # types
EVERYTHING = Filter()


class NameTaken(Exception):
    """Another resource has this id or this path."""


class PlatformStore:
    """The platform's database, migrated to HEAD. The caller disposes of the engine."""

    def __init__(self, engine: Engine) -> None:
        self._database = Database(engine)

    @contextmanager
    def transaction(self) -> Iterator["Rows"]:
        """All or nothing, and one at a time. Unavailable if the database is busy."""
        with self._database.transaction() as connection:
            yield Rows(connection)


class Rows:
    """Questions and deeds within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.history = PlatformHistory(connection)
        self.readers = PlatformReaders(connection)
        self.policies = PlatformPolicies(connection)
        self.outbox = PlatformOutbox(connection)

    # --- the tree

    def resource(self, ri: str) -> Resource | None:
        return self._one(sa.select(_resources).where(_resources.c.ri == ri))

    def resource_at(self, path: str) -> Resource | None:
        return self._one(sa.select(_resources).where(_resources.c.path == path))

    def edge(self, pi: str, ty: int, *, newest: bool) -> Resource | None:
        """The newest or oldest child of a type."""
        order = _resources.c.seq.desc() if newest else _resources.c.seq
        return self._one(
            sa.select(_resources)
            .where(_resources.c.pi == pi, _resources.c.ty == ty)
            .order_by(order)
            .limit(1)
        )

    def children_of_type(self, pi: str, ty: int, limit: int) -> list[Resource]:
        """Children of a type, oldest first."""
        question = sa.select(_resources).where(_resources.c.pi == pi, _resources.c.ty == ty)
        return self._many(question.order_by(_resources.c.seq).limit(limit))

    def children(self, parents: Iterable[str], limit: int) -> list[Resource]:
        """Children of all these, oldest first."""
        return self._many(
            sa.select(_resources)
            .where(_resources.c.pi.in_(list(parents)))
            .order_by(_resources.c.seq)
            .limit(limit)
        )

    def under(
        self,
        path: str,
        limit: int,
        filter_: Filter = EVERYTHING,
        *,
        reach: Reach | None = None,
    ) -> list[Resource]:
        """Return what is under a path and fits, uppermost first, then oldest, but for content
        instances, of which the newest come first: who asks for a few wants those.
        """
        column = _resources.c
        # "0" follows "/": all paths in between begin with the path and a "/".
        wanted = sa.select(_resources).where(column.path > f"{path}/", column.path < f"{path}0")
        depth = sa.func.length(column.path) - sa.func.length(sa.func.replace(column.path, "/", ""))
        shut = sa.select(_marks.c.ri).where(_marks.c.kind == RETRIEVAL_DISABLED)
        wanted = wanted.where((column.ty != INSTANCE) | column.pi.not_in(shut))
        wanted = wanted.where(fitting(column, _marks.c, filter_))
        if filter_.levels is not None:
            wanted = wanted.where(depth <= path.count("/") + filter_.levels)
        if reach is not None:
            wanted = wanted.where(_within(reach))
        age = sa.case((column.ty == INSTANCE, -column.seq), else_=column.seq)
        ordered = wanted.order_by(depth, age).offset(filter_.offset)
        return self._many(ordered.limit(limit))

    def below(self, paths: Collection[str], reach: Reach | None = None) -> list[Resource]:
        """Return those that there are at these paths."""
        found = sa.select(_resources).where(_resources.c.path.in_(paths))
        if reach is not None:
            found = found.where(_within(reach))
        return self._many(found.order_by(_resources.c.seq))

    def marked(self, kind: str, values: Iterable[str], limit: int = 1000) -> list[Resource]:
        """Resources that hold one of these values in their list "lbl" or "hael"."""
        found = sa.select(_marks.c.ri).where(
            _marks.c.kind == kind, _marks.c.value.in_(list(values))
        )
        return self._many(
            sa.select(_resources)
            .where(_resources.c.ri.in_(found))
            .order_by(_resources.c.seq)
            .limit(limit)
        )

    def made_by(self, pi: str, ty: int) -> dict[str, int]:
        """The number of children of a type, by who made them."""
        column = _resources.c
        counts = sa.select(column.creator, sa.func.count()).where(column.pi == pi, column.ty == ty)
        return {
            row[0]: row[1] for row in self._connection.execute(counts.group_by(column.creator))
        }

    def owned_count(self, owner: str) -> int:
        """Count the resources of the AE's subtree."""
        count = sa.select(sa.func.count()).where(_resources.c.owner == owner)
        return int(self._connection.execute(count).scalar_one())

    def earliest_end(self, paths: Iterable[str]) -> str | None:
        """The first `et` among the resources at these paths, None if none has one."""
        earliest = sa.select(sa.func.min(_resources.c.et)).where(
            _resources.c.path.in_(list(paths))
        )
        end: str | None = self._connection.execute(earliest).scalar()
        return end

    def expired(self, now: str) -> list[Resource]:
        """Resources whose life is over; what is under them goes with them."""
        return self._many(sa.select(_resources).where(_resources.c.et <= now))

    def add(self, resource: Resource) -> Resource:
        """Keep a new resource and tell its place in the order; NameTaken if id or path is used."""
        values = _values(resource)
        try:
            with self._connection.begin_nested():
                result = self._connection.execute(sa.insert(_resources).values(values))
        except IntegrityError:
            raise NameTaken(resource.path) from None
        self._mark(resource)
        key = result.inserted_primary_key
        return replace(resource, seq=int(key[0]) if key else 0)

    def change(self, resource: Resource) -> None:
        """Keep what changed in a resource's attributes and times."""
        of_it = _resources.c.ri == resource.ri
        self._connection.execute(sa.update(_resources).where(of_it).values(_values(resource)))
        self._connection.execute(sa.delete(_marks).where(_marks.c.ri == resource.ri))
        self._mark(resource)

    def govern(self, before: Resource, after: Resource, besides: Collection[int]) -> None:
        """Let what is under a resource know that others govern it now, as far as it has no
        policies of its own and is not of a type that nobody else governs.
        """
        column = _resources.c
        # "0" follows "/", as in `under`.
        below = (column.path > f"{after.path}/") & (column.path < f"{after.path}0")
        same = column.governed_by.is_not_distinct_from(before.governed_by)
        below &= column.ty.not_in(besides)
        new = sa.update(_resources).where(below & same).values(governed_by=after.governed_by)
        self._connection.execute(new)

    def change_counts(self, container: Resource) -> None:
        """Keep what changed in attributes that nobody searches by; cheaper than `change`."""
        of_it = _resources.c.ri == container.ri
        self._connection.execute(sa.update(_resources).where(of_it).values(_values(container)))

    def remove(self, ri: str) -> None:
        """Remove a resource and everything under it."""
        self._remove(_resources.c.ri == ri)

    def remove_children(self, pi: str, ty: int) -> None:
        """Remove all children of a type, and everything under them."""
        self._remove((_resources.c.pi == pi) & (_resources.c.ty == ty))

    def remove_expired(self, now: str) -> None:
        """Remove what `expired` tells, and everything under it."""
        self._remove(_resources.c.et <= now)

    # --- accounts

    def has_account(self, originator: str) -> bool:
        question = sa.select(_accounts.c.ct).where(_accounts.c.originator == originator)
        return self._connection.execute(question).first() is not None

    def accounts(self, after: str, limit: int) -> list[tuple[str, str]]:
        """Originators in order with the time each account was made."""
        rows = self._connection.execute(
            sa.select(_accounts.c.originator, _accounts.c.ct)
            .where(_accounts.c.originator > after)
            .order_by(_accounts.c.originator)
            .limit(limit)
        )
        return [(row.originator, row.ct) for row in rows]

    def add_account(self, originator: str, ct: str) -> None:
        self._connection.execute(sa.insert(_accounts).values(originator=originator, ct=ct))

    def remove_account(self, originator: str) -> None:
        """Forget an account and all its tokens."""
        of_it = _accounts.c.originator == originator
        self._connection.execute(sa.delete(_accounts).where(of_it))

    def token(self, token_id: str) -> Token | None:
        found = self._tokens(_tokens.c.token_id == token_id)
        return found[0] if found else None

    def tokens_of(self, originators: Iterable[str]) -> list[Token]:
        return self._tokens(_tokens.c.originator.in_(list(originators)))

    def tokens_with(self, hash_: str) -> list[Token]:
        return self._tokens(_tokens.c.hash == hash_)

    def add_token(self, token: Token) -> None:
        self._connection.execute(
            sa.insert(_tokens).values(
                token_id=token.token_id,
                originator=token.originator,
                hash=token.hash,
                ct=token.ct,
            )
        )

    def remove_token(self, token_id: str) -> None:
        self._connection.execute(sa.delete(_tokens).where(_tokens.c.token_id == token_id))

    # --- how

    def _one(self, question: sa.Select[Any]) -> Resource | None:
        row = self._connection.execute(question).first()
        return None if row is None else _resource(row)

    def _many(self, question: sa.Select[Any]) -> list[Resource]:
        return [_resource(row) for row in self._connection.execute(question)]

    def _remove(self, condition: sa.ColumnElement[bool]) -> None:
        under = sa.select(_resources.c.ri).where(condition).cte(recursive=True)
        under = under.union_all(sa.select(_resources.c.ri).where(_resources.c.pi == under.c.ri))
        doomed = sa.select(under.c.ri)
        self._connection.execute(sa.delete(_resources).where(_resources.c.ri.in_(doomed)))

    def _tokens(self, condition: sa.ColumnElement[bool]) -> list[Token]:
        question = sa.select(_tokens).where(condition).order_by(_tokens.c.ct, _tokens.c.token_id)
        return [
            Token(row.token_id, row.originator, row.hash, row.ct)
            for row in self._connection.execute(question)
        ]

    def _mark(self, resource: Resource) -> None:
        values = [
            {"ri": resource.ri, "kind": kind, "value": value}
            for kind, value in dict.fromkeys(marks_of(resource.attributes))
        ]
        if values:
            self._connection.execute(sa.insert(_marks), values)


def _made_by(originator: str) -> Any:
    # Whoever subscribes or asks owns the subscription or request, wherever it stands.
    is_own = _resources.c.ty.in_((REQUEST, SUBSCRIPTION))
    return (_resources.c.creator == originator) & is_own


def _within(reach: Reach) -> Any:
    column = _resources.c
    own = (column.owner == reach.owner) | _made_by(reach.owner)
    if reach.node_id is not None:
        own |= (column.ri == reach.node_id) | (column.pi == reach.node_id)
    if reach.policy is not None:
        own |= column.owner.in_(members_of(reach.policy))
    if reach.names:
        opened = opened_to(reach.names, reach.owner, reach.operation)
        own |= column.governed_by.in_(opened)
    return own


def _values(resource: Resource) -> dict[str, Any]:
    return {
        "ri": resource.ri,
        "ty": resource.ty,
        "rn": resource.rn,
        "pi": resource.pi,
        "path": resource.path,
        "owner": resource.owner,
        "ct": resource.ct,
        "lt": resource.lt,
        "et": resource.et,
        "creator": resource.creator,
        "governed_by": resource.governed_by,
        "attributes": json.dumps(dict(resource.attributes), separators=(",", ":")),
    }


def _resource(row: Row[Any]) -> Resource:
    return Resource(
        ri=row.ri,
        ty=row.ty,
        rn=row.rn,
        pi=row.pi,
        path=row.path,
        owner=row.owner,
        ct=row.ct,
        lt=row.lt,
        et=row.et,
        attributes=json.loads(row.attributes),
        seq=row.seq,
        creator=row.creator,
        governed_by=row.governed_by,
    )
