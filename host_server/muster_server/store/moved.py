# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The marks of a move: a store that has moved takes nothing any more, and one that is being filled
serves nobody.

SQLite's mark is a trigger on each table, which stops every writer, running servers included; that
of PostgreSQL is a table with the number of the copy.
"""

import sqlite3
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, text

from muster_server.errors import StoreError
from muster_server.store.engine import POSTGRES
from muster_server.store.refused import MOVED

if TYPE_CHECKING:
    import psycopg

_BEGIN = "muster_moved_"
_SEALS = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'muster_moved_%'"
_MARK = "store_copy"


def seal(source: sqlite3.Connection) -> None:
    """Let nobody change anything in this database from the end of the transaction on."""
    tables = source.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite^_%'"
        " ESCAPE '^'"
    ).fetchall()
    for (table,) in tables:
        for verb in ("INSERT", "UPDATE", "DELETE"):
            source.execute(
                f'CREATE TRIGGER IF NOT EXISTS "{_BEGIN}{table}_{verb.lower()}" BEFORE {verb} '
                f"ON \"{table}\" BEGIN SELECT RAISE(ABORT, '{MOVED}'); END"
            )


def unseal(source: sqlite3.Connection) -> bool:
    """Take the marks away; whether there were any."""
    marks = source.execute(_SEALS).fetchall()
    for (name,) in marks:
        source.execute(f'DROP TRIGGER "{name}"')
    return bool(marks)


def check_may_serve(engine: Engine) -> None:
    """StoreError if what is here has moved to another store, or is not all here yet."""
    with engine.connect() as connection:
        if engine.name == POSTGRES:
            is_being_filled = connection.execute(text(f"SELECT to_regclass('{_MARK}')")).scalar()
            if is_being_filled is not None:
                raise StoreError(
                    "a copy into this store has begun and not ended; run `muster store copy` again"
                )
        elif connection.execute(text(_SEALS)).first() is not None:
            raise StoreError(
                "this data has moved to PostgreSQL: start with --store or MUSTER_STORE; if no "
                "server has run there, `muster store reopen` takes the move back"
            )


def copy_into(target: "psycopg.Connection[Any]") -> str | None:
    """The number of the copy that has begun there; None if none has."""
    if target.execute("SELECT to_regclass(%s)", (_MARK,)).fetchone() == (None,):
        return None
    found = target.execute(f"SELECT number FROM {_MARK}").fetchone()  # noqa: S608 - our own name
    return str(found[0]) if found else None


def begin_copy(target: "psycopg.Connection[Any]", number: str) -> None:
    """Let no server begin there until the copy ends."""
    with target.transaction():
        target.execute(f"CREATE TABLE {_MARK} (number text NOT NULL)")
        target.execute(f"INSERT INTO {_MARK} VALUES (%s)", (number,))  # noqa: S608 - our own name


def end_copy(target: "psycopg.Connection[Any]", schemas: list[str]) -> None:
    """Let servers begin in all these schemas, or in none of them."""
    marks = ", ".join(f"{schema}.{_MARK}" for schema in schemas)
    target.execute(f"DROP TABLE IF EXISTS {marks}")
