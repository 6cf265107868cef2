# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""One role's tables made alike: PostgreSQL gets what SQLite holds, and loses what it lacks.

Both are read in the order of their keys and nothing but the differences is written, so a second
time through finds what has changed since the first. Values go as they are: what is sealed stays
sealed. The sign NUL, which PostgreSQL takes in no text, becomes U+FFFD, as whenever something is
stored there.
"""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from graphlib import TopologicalSorter
from itertools import islice
from typing import TYPE_CHECKING, Any

from muster_server.errors import StoreError

if TYPE_CHECKING:
    import psycopg

_AT_ONCE = 2000
_REVISION = "alembic_version"  # each store has its own; whether they are equal is looked at before

Values = tuple[Any, ...]


@dataclass(frozen=True)
class Table:
    """One table as both stores have it, the columns of its key first."""

    name: str
    key: tuple[str, ...]
    others: tuple[str, ...]

    @property
    def columns(self) -> str:
        """All columns, for a statement."""
        return _listed((*self.key, *self.others))

    def wanted(self, columns: str) -> str:
        """Return the question for these columns of all rows, in the order of the key."""
        return f'SELECT {columns} FROM "{self.name}" ORDER BY {_listed(self.key)}'  # noqa: S608 - our own names


def tables_of(source: sqlite3.Connection) -> list[Table]:
    """Every table; one that others refer to comes before them."""
    names = [
        name
        for (name,) in source.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite^_%'"
            " ESCAPE '^' AND name <> ?",
            (_REVISION,),
        )
    ]
    referred = {
        name: {row[2] for row in source.execute(f'PRAGMA foreign_key_list("{name}")')} - {name}
        for name in names
    }
    return [_table(source, name) for name in TopologicalSorter(referred).static_order()]


def _table(source: sqlite3.Connection, name: str) -> Table:
    columns = source.execute(f'PRAGMA table_info("{name}")').fetchall()
    placed = sorted((place, column) for _, column, _, _, _, place in columns if place)
    key = tuple(column for _, column in placed)
    return Table(name, key, tuple(column[1] for column in columns if column[1] not in key))


def make_alike(
    source: sqlite3.Connection, target: "psycopg.Connection[Any]", say: Callable[[str], object]
) -> int:
    """Write the differences, a table at a time; how many rows differed. `source` is within a
    transaction, `target` is not.
    """
    tables, differed = tables_of(source), 0
    # Who refers to a row goes before it, and comes after it.
    for table in reversed(tables):
        with target.transaction():
            differed += _remove(source, target, table)
    for table in tables:
        with target.transaction():
            found = _put(source, target, table)
            _set_numbers(source, target, table)
        differed += found
        if found:
            say(f"{table.name}: {found} rows")
    return differed


def compare(source: sqlite3.Connection, target: "psycopg.Connection[Any]") -> int:
    """Compare all rows, value by value; how many there are. StoreError at the first difference."""
    compared = 0
    for table in tables_of(source):
        with target.transaction():
            for old, new in _side_by_side(source, target, table, table.columns):
                if old != new:
                    raise StoreError(f"{table.name}: a row is not what it was")
                compared += 1
    return compared


def rows_in(target: "psycopg.Connection[Any]", schema: str) -> str | None:
    """The name of a table of the schema that has rows already; None if it has none."""
    names = target.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = %s AND tablename <> %s ORDER BY 1",
        (schema, _REVISION),
    ).fetchall()
    for (name,) in names:
        if target.execute(f'SELECT 1 FROM {schema}."{name}" LIMIT 1').fetchone():  # noqa: S608 - our own names
            return str(name)
    return None


def _remove(source: sqlite3.Connection, target: "psycopg.Connection[Any]", table: Table) -> int:
    own = " AND ".join(f'"{column}" = %s' for column in table.key)
    statement = f'DELETE FROM "{table.name}" WHERE {own}'  # noqa: S608 - our own names
    keys = (
        new
        for old, new in _side_by_side(source, target, table, _listed(table.key))
        if old is None and new is not None
    )
    return _many(target, statement, keys)


def _many(target: "psycopg.Connection[Any]", statement: str, rows: Iterator[Values]) -> int:
    done = 0
    with target.cursor() as cursor:
        while some := list(islice(rows, _AT_ONCE)):
            cursor.executemany(statement, some)
            done += len(some)
    return done


def _put(source: sqlite3.Connection, target: "psycopg.Connection[Any]", table: Table) -> int:
    """Add what is missing and change what differs."""
    width, done = len(table.key), 0
    changes = ", ".join(f'"{column}" = %s' for column in table.others)
    own = " AND ".join(f'"{column}" = %s' for column in table.key)
    change = f'UPDATE "{table.name}" SET {changes} WHERE {own}'  # noqa: S608 - our own names
    differences = (
        (old, new is None)
        for old, new in _side_by_side(source, target, table, table.columns)
        if old is not None and old != new
    )
    with target.cursor() as cursor:
        while some := list(islice(differences, _AT_ONCE)):
            with cursor.copy(f'COPY "{table.name}" ({table.columns}) FROM STDIN') as rows:
                for row, is_missing in some:
                    if is_missing:
                        rows.write_row(row)
            changed = [row[width:] + row[:width] for row, is_missing in some if not is_missing]
            if changed:
                cursor.executemany(change, changed)
            done += len(some)
    return done


def _side_by_side(
    source: sqlite3.Connection, target: "psycopg.Connection[Any]", table: Table, columns: str
) -> Iterator[tuple[Values | None, Values | None]]:
    """Yield the rows of each key: that of SQLite and that of PostgreSQL, None where it is not."""
    width = len(table.key)
    with target.cursor(name="beside") as beside:
        beside.itersize = _AT_ONCE
        beside.execute(table.wanted(columns))
        news, olds = iter(beside), _rows(source, table, columns)
        old, new = next(olds, None), next(news, None)
        while old is not None or new is not None:
            if new is None or (old is not None and old[:width] < new[:width]):
                yield old, None
                old = next(olds, None)
            elif old is None or new[:width] < old[:width]:
                yield None, new
                new = next(news, None)
            else:
                yield old, new
                old, new = next(olds, None), next(news, None)


def _rows(source: sqlite3.Connection, table: Table, columns: str) -> Iterator[Values]:
    """Yield SQLite's rows as PostgreSQL can hold them. StoreError if a key has a NUL, and with it
    another place in the order.
    """
    width = len(table.key)
    for row in source.execute(table.wanted(columns)):
        if any(isinstance(value, str) and "\0" in value for value in row):
            if any(isinstance(value, str) and "\0" in value for value in row[:width]):
                raise StoreError(f"{table.name}: a key holds the sign NUL; remove or change it")
            yield tuple(v.replace("\0", "\ufffd") if isinstance(v, str) else v for v in row)
        else:
            yield row


def _set_numbers(
    source: sqlite3.Connection, target: "psycopg.Connection[Any]", table: Table
) -> None:
    """Have the next number of the table be one that was never given, as SQLite remembers it."""
    if len(table.key) != 1:
        return
    named = (f'"{table.name}"', table.key[0])
    found = target.execute("SELECT pg_get_serial_sequence(%s, %s)", named).fetchone()
    if found is None or found[0] is None:
        return
    (highest,) = source.execute(f'SELECT max("{table.key[0]}") FROM "{table.name}"').fetchone()  # noqa: S608
    given = 0
    if source.execute("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'").fetchone():
        kept = "SELECT seq FROM sqlite_sequence WHERE name = ?"
        given = (source.execute(kept, (table.name,)).fetchone() or (0,))[0]
    number = max(highest or 0, given)
    if number:
        target.execute("SELECT setval(%s, %s)", (found[0], number))


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f'"{name}"' for name in names)
