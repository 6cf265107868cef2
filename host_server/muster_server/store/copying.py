# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Moves the roles' databases from SQLite to PostgreSQL, beside servers that run on them.

Copies go by while the servers work, each of a snapshot and each finding fewer differences. Then
everybody who writes waits for the last one, and the source is sealed in the transaction that was
copied: nothing can be acknowledged that did not come along. At last every row is compared. Whoever
is cut off begins again: what is there already is not copied twice.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from muster_server.errors import SettingsError, StoreError
from muster_server.private_files import read_private, write_once
from muster_server.settings import ROLES
from muster_server.store.copied_tables import compare, make_alike, rows_in
from muster_server.store.engine import database_url, open_engine
from muster_server.store.forms import FORMS
from muster_server.store.migrations import current_revision, migrate
from muster_server.store.moved import begin_copy, copy_into, end_copy, seal, unseal
from muster_server.store.postgres import driver_of, reason_of, schema_of, unhurried
from muster_server.tokens import new_token

_NUMBER = "store-copy"  # the file with the number of the copy that has begun
_FEW = 500  # rows that differ: so many are copied while others wait
_MOST_PASSES = 6
_BUSY_S = 60.0

Say = Callable[[str], object]


@dataclass(frozen=True)
class _Pair:
    """One role: its database, and the engine of its schema."""

    role: str
    path: Path
    engine: Engine


@dataclass(frozen=True)
class Moved:
    """The outcome of a move."""

    rows: dict[str, int]  # by role
    held_s: float  # in which nobody could write, until all was compared


def move(data: Path, store: str, say: Say) -> Moved:
    """Copy all databases of the data folder into the store, and seal them there.

    SettingsError if there is none, or the store holds something already; StoreError if one of
    them cannot be used, or if what came differs: then the source is as it was.
    """
    present = [role for role in ROLES if (data / f"{role}.sqlite").exists()]
    if not present:
        raise SettingsError(f"{data} has no database")
    with _reasons(), ExitStack() as ends:
        pairs = [_opened(data, role, store, ends) for role in present]
        targets = {pair.role: ends.enter_context(_target(pair)) for pair in pairs}
        _begin(data, pairs, targets)
        for number in range(1, _MOST_PASSES + 1):
            differed = sum(_copied(pair, targets[pair.role], say) for pair in pairs)
            say(f"pass {number}: {differed} rows written")
            if differed <= _FEW:
                break
        begin = _finish(pairs, targets, say)
        try:
            rows = {pair.role: _compared(pair, targets[pair.role]) for pair in pairs}
        except BaseException:
            reopen(data)
            raise
        held_s = time.monotonic() - begin
        for target in targets.values():
            target.execute("ANALYZE")
        # They are in one database: whoever is cut off has moved all of them, or begins again.
        end_copy(targets[present[0]], [schema_of(pair.engine) for pair in pairs])
        (data / _NUMBER).unlink(missing_ok=True)
    return Moved(rows, held_s)


def reopen(data: Path) -> bool:
    """Let servers work on the data folder again; whether they could not before. StoreError if a
    database is busy.
    """
    found = False
    with _reasons():
        for role in FORMS:
            path = data / f"{role}.sqlite"
            if path.exists():
                with closing(_connected(path)) as source:
                    source.execute("BEGIN IMMEDIATE")
                    found = unseal(source) or found
                    source.execute("COMMIT")
    return found


def _opened(data: Path, role: str, store: str, ends: ExitStack) -> _Pair:
    """Open both ends of a role, which have the same form."""
    package, head = FORMS[role]
    source = open_engine(database_url(data, role))
    try:
        revision = current_revision(source)
    finally:
        source.dispose()
    if revision != head:
        raise StoreError(
            f"{role}: the database is at revision {revision}, and this release works with {head}; "
            "start the servers of this release on it once"
        )
    engine = open_engine(database_url(data, role, store))
    ends.callback(engine.dispose)
    migrate(engine, package, head)
    return _Pair(role, data / f"{role}.sqlite", engine)


@contextmanager
def _target(pair: _Pair) -> Iterator[Any]:
    with unhurried(pair.engine) as connection:
        yield driver_of(connection)


def _begin(data: Path, pairs: list[_Pair], targets: dict[str, Any]) -> None:
    """Mark the store as one that is being filled from here, unless it is marked so already."""
    write_once(data / _NUMBER, new_token())
    number = read_private(data / _NUMBER)
    for pair in pairs:
        target = targets[pair.role]
        begun, schema = copy_into(target), schema_of(pair.engine)
        if begun == number:
            continue
        table = rows_in(target, schema)
        if begun is not None or table is not None:
            raise SettingsError(
                f"the store is not empty: {schema} has {table or 'the copy of another folder'}; "
                "name an empty database, other schemas (?schema=…), or drop these"
            )
        begin_copy(target, number)


def _copied(pair: _Pair, target: Any, say: Say) -> int:
    with closing(_connected(pair.path)) as source:
        source.execute("BEGIN")
        return make_alike(source, target, lambda line: say(f"  {pair.role} {line}"))


def _finish(pairs: list[_Pair], targets: dict[str, Any], say: Say) -> float:
    """Copy what is left while nobody can write, and seal; the moment from which on."""
    with ExitStack() as held:
        sources = {}
        for pair in pairs:  # one after another in the same order as everybody who holds them all
            source = held.enter_context(closing(_connected(pair.path)))
            source.execute("BEGIN IMMEDIATE")
            sources[pair.role] = source
        begin = time.monotonic()
        for role, source in sources.items():
            make_alike(source, targets[role], lambda line: None)
        for source in sources.values():
            seal(source)
        for source in sources.values():
            source.execute("COMMIT")
    say(f"sealed after {time.monotonic() - begin:.1f} s; comparing")
    return begin


def _compared(pair: _Pair, target: Any) -> int:
    with closing(_connected(pair.path)) as source:
        source.execute("BEGIN")
        return compare(source, target)


def _connected(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)


@contextmanager
def _reasons() -> Iterator[None]:
    """StoreError in place of the drivers' own, which may repeat what was to be stored."""
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(f"SQLite: {error}; run it again") from None
    except Exception as error:
        reason = reason_of(error)
        if reason is None:
            raise
        raise StoreError(f"PostgreSQL: {reason}; run it again") from None
