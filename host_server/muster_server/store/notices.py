# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Notices between the processes of a role, by PostgreSQL's LISTEN and NOTIFY.

A notice may be lost with a connection, so nobody may rest on it: it makes what is looked for now
and then anyway happen sooner.
"""

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine

from muster_server.store.postgres import (
    PostgresDatabase,
    driver_of,
    is_refused,
    own_number,
    schema_of,
)
from muster_server.store.postgres_turns import number_of
from muster_server.store.refused import unavailable

if TYPE_CHECKING:
    import psycopg


class Ear:
    """A connection that hears what other processes say about something, e.g. "jobs"."""

    def __init__(self, engine: Engine, what: str) -> None:
        """Unavailable if the database does not answer."""
        listen = f'LISTEN "{_channel(engine, what)}"'
        self._connection: Connection = _asked(lambda: PostgresDatabase(engine).after(listen))
        self._driver: psycopg.Connection[Any] = driver_of(self._connection)
        self._place = f"({own_number(engine)}, {number_of(f'first {what}')})"

    def fileno(self) -> int:
        """The file descriptor that can be read when something may have been said."""
        return self._driver.fileno()

    def heard(self) -> int:
        """Return how much was said since the last time; it does not wait. Unavailable if the
        connection is lost.
        """
        return len(self.words())

    def words(self) -> list[str]:
        """Return what was said since the last time, as `heard` counts it."""
        return [said.payload for said in _asked(lambda: list(self._driver.notifies(timeout=0)))]

    def comes_first(self) -> bool:
        """Tell whether this ear is the first of all that hear of it, unless another one is; then
        it stays the first until it is closed, or its connection lost. Not to be asked again then.

        Unavailable if the connection is lost.
        """
        text = f"SELECT pg_try_advisory_lock{self._place}"
        return bool(_asked(lambda: self._driver.execute(text).fetchone())[0])

    def close(self) -> None:
        """Hear no more."""
        self._connection.invalidate()  # not for others: it would go on to hear
        self._connection.close()


def say(engine: Engine, what: str, words: Collection[str] = ("",)) -> None:
    """Tell all processes that hear, this one included. Unavailable if the database is away."""
    text = "SELECT count(pg_notify(%s, word)) FROM unnest(%s::text[]) AS word"
    about = (_channel(engine, what), list(words))
    _asked(lambda: PostgresDatabase(engine).after(text, *about)).close()


def _channel(engine: Engine, what: str) -> str:
    return f"{schema_of(engine)}_{what}"


def _asked(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except Exception as error:
        if is_refused(error) or isinstance(error, TimeoutError):
            raise unavailable(error) from None
        raise
