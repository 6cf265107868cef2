# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The store of the platform: the resource tree, and accounts with their hashed tokens.

One request is one transaction: `with store.transaction() as rows` gives the questions and deeds
below, and what they did is kept if the block ends without an exception.
"""

from collections.abc import Collection, Iterable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from muster_server.errors import Unavailable
from muster_server.store.engine import Database
from muster_server.store.insertions import Insertion
from muster_server.store.platform_accounts import AccountRows
from muster_server.store.platform_handed_on import PlatformHandedOn
from muster_server.store.platform_history import PlatformHistory
from muster_server.store.platform_known import Asked, Known
from muster_server.store.platform_outbox import PlatformOutbox
from muster_server.store.platform_policies import PlatformPolicies, marks_of
from muster_server.store.platform_processes import PlatformProcesses
from muster_server.store.platform_reach import INSTANCE, beneath, shut, within
from muster_server.store.platform_readers import PlatformReaders, is_named
from muster_server.store.platform_records import Reach as Reach
from muster_server.store.platform_records import Resource as Resource
from muster_server.store.platform_records import Token as Token
from muster_server.store.platform_rows import (
    KEPT,
    READ,
    attributes_as_text,
    from_row,
    values_of,
)
from muster_server.store.platform_search import AGE, DEPTH, Filter, fitting
from muster_server.store.platform_tables import marks as _marks
from muster_server.store.platform_tables import resources as _resources
from muster_server.store.platform_turns import NotAlone as NotAlone
from muster_server.store.platform_turns import Turn
from muster_server.store.postgres_turns import SEVERAL
from muster_server.store.sql import Sql, as_text, insertion, marks
from muster_server.store.sql import TooSlow as TooSlow

HEAD = "0007"

_SELECT = f"SELECT {', '.join(READ)} FROM resources"  # noqa: S608 - our own names
_WITH_ID, _AT_PATH = f"{_SELECT} WHERE ri = ?", f"{_SELECT} WHERE path = ?"
_UNLESS_THERE = "ON CONFLICT DO NOTHING"
_INSERT = f"{insertion('resources', KEPT)} {_UNLESS_THERE} RETURNING seq"
_ADD = Insertion("resources", KEPT, _UNLESS_THERE)
_MARK = Insertion("marks", ("ri", "kind", "value"))
_UPDATE = f"UPDATE resources SET {', '.join(f'{name} = ?' for name in KEPT)} WHERE ri = ?"  # noqa: S608

LONGEST_SEARCH_S = 10.0
_MANY = 2000  # so many are better not sorted
EVERYTHING = Filter()


class NameTaken(Exception):
    """Another resource has this id or this path."""


class PlatformStore:
    """The platform's database, migrated to HEAD. The caller disposes of the engine."""

    def __init__(self, engine: Engine) -> None:
        self._database = Database(engine)
        self.processes = PlatformProcesses(engine, self._database)
        self._known = Known(is_shared=self._database.is_shared)

    @contextmanager
    def transaction(self, about: AbstractSet[str] | None = None) -> Iterator["Rows"]:
        """All or nothing, and one at a time. Unavailable if the database is busy.

        On PostgreSQL, those about different things run beside each other: names under the CSEBase,
        and accounts by their originators. NotAlone, and nothing is done, if one that says what it
        is about meets something else; then it is to be tried without.
        """
        about = about if self.processes.are_several else None
        named = None if about is None else SEVERAL.join(sorted(about))
        try:
            with self._database.transaction(named) as connection:
                rows = Rows(connection, self._known, about=about)
                yield rows
        except Unavailable:  # what was learnt may have been taken back
            self._known.clear()
            raise
        rows.asked.over()

    @contextmanager
    def reading(self) -> Iterator["Rows"]:
        """The database as it is now, for questions alone. Unavailable if it does not answer."""
        turn = self._known.turn  # before: a change that comes later is not seen
        with self._database.reading() as connection:
            yield Rows(connection, self._known, turn, is_snapshot=True)


class Rows(AccountRows):
    """Questions and deeds within one transaction; in a snapshot questions alone."""

    def __init__(
        self,
        connection: Connection,
        known: Known,
        turn: int | None = None,
        *,
        is_snapshot: bool = False,
        about: AbstractSet[str] | None = None,
    ) -> None:
        """`turn` is that of `known` before the transaction began, if it is a snapshot."""
        self._connection = connection
        self._sql = sql = Sql(connection)
        self.is_snapshot = is_snapshot
        self.turn = Turn(about)
        began = known.turn if turn is None else turn
        self.asked = asked = Asked(sql, known, began, is_snapshot=is_snapshot)
        self.history = PlatformHistory(sql, asked, self.turn)
        self.outbox = PlatformOutbox(sql)

    # Few requests need these.

    @cached_property
    def readers(self) -> PlatformReaders:
        return PlatformReaders(self._sql, self.asked)

    @cached_property
    def policies(self) -> PlatformPolicies:
        return PlatformPolicies(self._sql)

    @cached_property
    def handed_on(self) -> PlatformHandedOn:
        return PlatformHandedOn(self._sql)

    @contextmanager
    def part(self) -> Iterator[None]:
        """Take back what happens in the block, and nothing else, if an error ends it."""
        try:
            with self._sql.part():
                yield
        except BaseException:
            self.asked.taken_back()
            raise

    # --- the tree

    def resource(self, ri: str) -> Resource | None:
        return self.asked.entity(ri) or self._one(_WITH_ID, ri)

    def resource_at(self, path: str) -> Resource | None:
        return self.asked.entity(path) or self._one(_AT_PATH, path)

    def at(self, paths: Collection[str]) -> list[Resource]:
        """The resources that there are at these paths."""
        return self._many(f"{_SELECT} WHERE path IN ({marks(paths)})", *paths)

    def resources(self, ris: Collection[str]) -> list[Resource]:
        """The resources that there are with these ids."""
        return self._many(f"{_SELECT} WHERE ri IN ({marks(ris)})", *ris)

    def edge(self, pi: str, ty: int, *, newest: bool) -> Resource | None:
        """The newest or oldest child of a type."""
        order = "seq DESC" if newest else "seq"
        return self._one(f"{_SELECT} WHERE pi = ? AND ty = ? ORDER BY {order} LIMIT 1", pi, ty)

    def children_of_type(self, pi: str, ty: int, limit: int) -> list[Resource]:
        """Children of a type, oldest first."""
        text = f"{_SELECT} WHERE pi = ? AND ty = ? ORDER BY seq LIMIT ?"
        return self._many(text, pi, ty, limit)

    def children(self, parents: Iterable[str], limit: int) -> list[Resource]:
        """Children of all these, oldest first."""
        listed = list(parents)
        if not listed:
            return []
        text = f"{_SELECT} WHERE pi IN ({marks(listed)}) ORDER BY seq LIMIT ?"
        return self._many(text, *listed, limit)

    def under(
        self, path: str, limit: int, filter_: Filter = EVERYTHING, *, reach: Reach | None = None
    ) -> list[Resource]:
        """Return what is under a path and fits, uppermost first, then oldest, but for content
        instances, of which the newest come first: who asks for a few wants those. TooSlow if
        it takes more than LONGEST_SEARCH_S.
        """
        if "/" not in path and self._is_wide(filter_, reach):
            return self._found(self._walked(limit, filter_, reach))
        column = _resources.c
        wanted = _whole().where(beneath(_resources.c, path))
        wanted = wanted.where((column.ty != INSTANCE) | column.pi.not_in(shut(_marks.c)))
        fits = fitting(column, _marks.c, filter_)
        if fits is not None:
            wanted = wanted.where(fits)
        # Of expressions that no index has: what little is wanted is found first, then sorted.
        depth, age = DEPTH + 0, AGE + 0
        if filter_.levels is not None:
            wanted = wanted.where(depth <= path.count("/") + filter_.levels)
        if reach is not None:
            wanted = wanted.where(within(_resources.c, reach))
        ordered = wanted.order_by(depth, age).offset(filter_.offset)
        return self._found(ordered.limit(limit))

    def _is_wide(self, filter_: Filter, reach: Reach | None) -> bool:
        """Tell whether so many may fit that it is better to look at all in their order."""
        if filter_.labels and not filter_.is_any_enough:
            listed = sorted(filter_.labels)
            which = f"marks WHERE kind = 'lbl' AND value IN ({marks(listed)})"
            if not self._has_many(which, *listed):
                return False
        if reach is None:
            return True
        return reach.policy is not None and self._has_many(
            "policy_members WHERE policy = ?", reach.policy
        )

    def _has_many(self, which: str, *values: Any) -> bool:
        text = f"SELECT count(*) FROM (SELECT 1 FROM {which} LIMIT {_MANY}) AS few"  # noqa: S608
        return bool(self._sql.value(text, *values) == _MANY)

    def _walked(self, limit: int, filter_: Filter, reach: Reach | None) -> sa.Select[Any]:
        """A search through all under the CSEBase, by indexes that have it in its order: first for
        the places of those that are wanted, so that what is passed over is not read.
        """
        column = _resources.c
        places = sa.select(column.seq).where(DEPTH >= 1)
        if not filter_.types or INSTANCE in filter_.types or filter_.is_any_enough:
            places = places.where((column.ty != INSTANCE) | column.pi.not_in(shut(_marks.c)))
        fits = fitting(column, _marks.c, filter_)
        if fits is not None:
            places = places.where(fits)
        if filter_.levels is not None:
            places = places.where(filter_.levels >= DEPTH)
        if reach is not None:
            places = places.where(within(_resources.c, reach, is_named))
        some = places.order_by(DEPTH, AGE).offset(filter_.offset).limit(limit)
        return _whole().where(column.seq.in_(some)).order_by(DEPTH + 0, AGE + 0)

    def below(self, paths: Collection[str], reach: Reach | None = None) -> list[Resource]:
        """Return those that there are at these paths."""
        found = _whole().where(_resources.c.path.in_(paths))
        if reach is not None:
            found = found.where(within(_resources.c, reach))
        return self._found(found.order_by(_resources.c.seq))

    def marked(self, kind: str, values: Iterable[str], limit: int = 1000) -> list[Resource]:
        """Resources that hold one of these values in their list "lbl" or "hael"."""
        listed = list(values)
        those = f"SELECT ri FROM marks WHERE kind = ? AND value IN ({marks(listed)})"  # noqa: S608
        text = f"{_SELECT} WHERE ri IN ({those}) ORDER BY seq LIMIT ?"
        return self._many(text, kind, *listed, limit)

    def holders(self, kind: str, values: Collection[str]) -> dict[str, str]:
        """The id of a resource that holds it in its list, for each value that one does."""
        text = f"SELECT value, ri FROM marks WHERE kind = ? AND value IN ({marks(values)})"  # noqa: S608
        return {row[0]: row[1] for row in self._sql.rows(text, kind, *values)}

    def made_by(self, pi: str, ty: int) -> dict[str, int]:
        """The number of children of a type, by who made them."""
        text = "SELECT creator, count(*) FROM resources WHERE pi = ? AND ty = ? GROUP BY creator"
        return {row[0]: row[1] for row in self._sql.rows(text, pi, ty)}

    def earliest_end(self, paths: Iterable[str]) -> str | None:
        """The first `et` among the resources at these paths, None if none has one."""
        listed = list(paths)
        text = f"SELECT min(et) FROM resources WHERE path IN ({marks(listed)})"  # noqa: S608
        end: str | None = self._sql.value(text, *listed)
        return end

    def expired(self, now: str) -> list[Resource]:
        """Resources whose life is over; what is under them goes with them."""
        return self._many(f"{_SELECT} WHERE et <= ?", now)

    def add(self, resource: Resource) -> Resource:
        """Keep a new resource and tell its place in the order; NameTaken if id or path is used."""
        self.turn.check_path(resource.path)
        added = self._sql.rows(_INSERT, *values_of(resource))
        if not added:
            raise NameTaken(resource.path)
        kept = resource.but(seq=int(added[0][0]))
        self.asked.made(kept)
        self._mark(kept)
        return kept

    def add_all(self, resources: Collection[Resource]) -> None:
        """Keep new resources; NameTaken if an id or path is used."""
        if not resources:
            return
        for resource in resources:
            self.turn.check_path(resource.path)
        if _ADD.run(self._sql, [values_of(resource) for resource in resources]) != len(resources):
            raise NameTaken(next(iter(resources)).path)
        for resource in resources:
            self.asked.added(resource.owner, resource.ty, resource.pi, resource.et)
        self._mark(*resources)

    def change(self, resource: Resource) -> None:
        """Keep what changed in a resource's attributes and times."""
        self.turn.check_path(resource.path)
        self.asked.changing(resource)
        self._sql.run(_UPDATE, *values_of(resource), resource.ri)
        self.asked.added(None, resource.ty, resource.pi, resource.et)
        self._sql.run("DELETE FROM marks WHERE ri = ?", resource.ri)
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
        self.asked.changing_many()
        new = sa.update(_resources).where(below & same).values(governed_by=after.governed_by)
        self._connection.execute(new)

    def change_counts(self, resource: Resource) -> None:
        """Keep what changed in attributes that nobody searches by; cheaper than `change`."""
        self.turn.check_path(resource.path)
        self.asked.changing(resource)
        text = "UPDATE resources SET attributes = ? WHERE ri = ?"
        self._sql.run(text, attributes_as_text(resource.attributes), resource.ri)

    def remove(self, ri: str) -> None:
        """Remove a resource and everything under it."""
        if not self.turn.is_alone:
            path = self._sql.value("SELECT path FROM resources WHERE ri = ?", ri)
            self.turn.check_path(path or "")
        self._remove(_resources.c.ri == ri)

    def remove_leaf(self, ri: str) -> None:
        """Remove a resource that has nothing under it; cheaper than `remove`."""
        self.asked.doubt()
        self._sql.run("DELETE FROM resources WHERE ri = ?", ri)

    def remove_children(self, pi: str, ty: int) -> None:
        """Remove all children of a type, and everything under them."""
        self._remove((_resources.c.pi == pi) & (_resources.c.ty == ty))

    def remove_expired(self, now: str) -> None:
        """Remove what `expired` tells, and everything under it."""
        self.turn.check_alone()
        self._remove(_resources.c.et <= now)

    # --- how

    def _one(self, text: str, *values: Any) -> Resource | None:
        row = self._sql.row(text, *values)
        return None if row is None else from_row(row)

    def _many(self, text: str, *values: Any) -> list[Resource]:
        return [from_row(row) for row in self._sql.rows(text, *values)]

    def _found(self, question: sa.Select[Any]) -> list[Resource]:
        text, values = as_text(question)
        with self._sql.within(LONGEST_SEARCH_S):
            return self._many(text, *values)

    def _remove(self, condition: sa.ColumnElement[bool]) -> None:
        self.asked.removed()
        under = sa.select(_resources.c.ri).where(condition).cte(recursive=True)
        under = under.union_all(sa.select(_resources.c.ri).where(_resources.c.pi == under.c.ri))
        doomed = sa.select(under.c.ri)
        self._connection.execute(sa.delete(_resources).where(_resources.c.ri.in_(doomed)))

    def _mark(self, *resources: Resource) -> None:
        marked = [
            (resource.ri, *mark)
            for resource in resources
            for mark in dict.fromkeys(marks_of(resource.attributes))
        ]
        _MARK.run(self._sql, marked)


def _whole() -> sa.Select[Any]:
    return sa.select(*(_resources.c[name] for name in READ))
