# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Statements as text, on the connection of one transaction.

The driver keeps each text that it has seen prepared, so what is asked a thousand times a second is
parsed once. SQLAlchemy would build each anew, which took most of the time of a sync.
"""

import json
import re
import sqlite3
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Select
from sqlalchemy.dialects.sqlite import dialect

from muster_server.document import compact_json
from muster_server.store.rows import Row as Row

_STATEMENTS = 1024
# Text in quotes is left alone but for the sign that psycopg reads, which is doubled everywhere.
_MARKS = re.compile(r"""'[^']*'|"[^"]*"|\?|%""")

_STEPS = 20_000  # of SQLite, between looks at the clock
_TEXT = dialect(paramstyle="qmark")
# Otherwise a function that tells true or false would be compared with 1, which only SQLite knows.
_TEXT.supports_native_boolean = True


class TooSlow(Exception):
    """A question took longer than it was given."""


class Sql:
    """Questions and deeds of one transaction, with `?` for each value."""

    def __init__(self, connection: Connection) -> None:
        driver = connection.connection.driver_connection
        self._cursor: Any
        self.is_shared = not isinstance(driver, sqlite3.Connection)  # others write beside this
        if isinstance(driver, sqlite3.Connection):
            self._cursor = driver.cursor()
            self._cursor.row_factory = sqlite3.Row
            self._text = _as_it_is
        else:
            from muster_server.store.postgres_values import named_rows  # late: needs the driver

            self._cursor = driver.cursor(row_factory=named_rows)  # type: ignore[union-attr]
            self._text = with_marks

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Questions in the block end after so long. TooSlow if one did."""
        driver = self._cursor.connection
        if not isinstance(driver, sqlite3.Connection):
            from muster_server.store.postgres_values import ended_within  # late: needs the driver

            with ended_within(self._cursor, seconds, TooSlow):
                yield
            return
        ends = time.monotonic() + seconds
        driver.set_progress_handler(lambda: int(time.monotonic() > ends), _STEPS)
        try:
            yield
        except sqlite3.OperationalError as error:
            if getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_INTERRUPT:
                raise
            raise TooSlow(f"more than {seconds:.0f} s") from None
        finally:
            driver.set_progress_handler(None, 0)

    @contextmanager
    def part(self) -> Iterator[None]:
        """Take back what happens in the block, and nothing else, if an error ends it."""
        self.run("SAVEPOINT one_of_many")
        try:
            yield
        except BaseException:
            self.run("ROLLBACK TO SAVEPOINT one_of_many")
            self.run("RELEASE SAVEPOINT one_of_many")
            raise
        self.run("RELEASE SAVEPOINT one_of_many")

    def rows(self, text: str, *values: Any) -> list[Row]:
        """All rows that the question finds."""
        found: list[Row] = self._cursor.execute(self._text(text), values).fetchall()
        return found

    def row(self, text: str, *values: Any) -> Row | None:
        """The first row that it finds."""
        # All of them, so that the statement is over: at most one is asked for, mostly.
        found = self.rows(text, *values)
        return found[0] if found else None

    def value(self, text: str, *values: Any) -> Any:
        """The first column of the first row; None if there is none."""
        found = self.row(text, *values)
        return None if found is None else found[0]

    def run(self, text: str, *values: Any) -> int:
        """Do it; how many rows it changed."""
        changed: int = self._cursor.execute(self._text(text), values).rowcount
        return changed

    def run_many(self, text: str, rows: Iterable[tuple[Any, ...]]) -> int:
        """Do it with the values of each row; how many rows that changed."""
        self._cursor.executemany(self._text(text), rows)
        changed: int = self._cursor.rowcount
        return changed


def _as_it_is(text: str) -> str:
    return text


@lru_cache(_STATEMENTS)
def with_marks(text: str) -> str:
    """Return the statement as psycopg reads it: `%s` for each value, and `%%` for a `%`."""
    return _MARKS.sub(lambda found: _marked(found[0]), text)


def _marked(part: str) -> str:
    return "%s" if part == "?" else part.replace("%", "%%")


def as_text(question: Select[Any]) -> tuple[str, list[Any]]:
    """Return a question that SQLAlchemy has put together as text, and its values; for those whose
    parts are not known beforehand.
    """
    compiled = question.compile(dialect=_TEXT, compile_kwargs={"render_postcompile": True})
    return str(compiled), [compiled.params[name] for name in compiled.positiontup or ()]


def marks(values: Collection[Any]) -> str:
    """Return a mark for each value, as in `IN (?, ?)`; for none `NULL`, in which nothing is."""
    return ", ".join("?" * len(values)) or "NULL"


def insertion(table: str, columns: Iterable[str]) -> str:
    """Return the statement that adds a row with these columns, in their order."""
    names = tuple(columns)
    marks = ", ".join("?" * len(names))
    return f"INSERT INTO {table} ({_listed(names)}) VALUES ({marks})"  # noqa: S608 - our own names


def replacement(table: str, columns: Iterable[str], *key: str) -> str:
    """Return the statement that adds such a row, or changes the one with the same key."""
    names = tuple(columns)
    changes = ", ".join(f'"{name}" = excluded."{name}"' for name in names if name not in key)
    return f"{insertion(table, names)} ON CONFLICT ({_listed(key)}) DO UPDATE SET {changes}"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def as_json(value: Any) -> str | None:
    """Return what a JSON column holds; None stays none."""
    return None if value is None else compact_json(value)


def from_json(text: str | None) -> Any:
    """Return what a JSON column held. Earlier releases wrote none as the text `null`, too."""
    return None if text is None else json.loads(text)
