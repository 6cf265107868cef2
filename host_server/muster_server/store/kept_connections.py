# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Connections that stay checked out between the transactions of a SQLite database.

To check one out of SQLAlchemy's pool and to check it in again costs as much as three statements.
"""

from sqlalchemy import Connection, Engine, event
from sqlalchemy.pool import StaticPool

_KEPT = 16


class KeptConnections:
    """Connections of an engine, those that nobody uses first. They end with the engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        # The one connection of a database in memory is everybody's: it is not kept from anybody.
        self._most = 0 if isinstance(engine.pool, StaticPool) else _KEPT
        self._kept: list[Connection] = []
        event.listen(engine, "engine_disposed", self._end)

    def take(self) -> Connection:
        """A connection outside of any transaction. Raises what SQLAlchemy's pool raises."""
        try:
            return self._kept.pop()
        except IndexError:
            return self._engine.connect()

    def give_back(self, connection: Connection) -> None:
        """Take it back, outside of any transaction, though SQLAlchemy may believe it in one."""
        if len(self._kept) < self._most and not connection.in_transaction():
            self._kept.append(connection)
        else:
            connection.close()

    def drop(self, connection: Connection) -> None:
        """End it: something went wrong with it."""
        connection.close()

    def _end(self, engine: Engine) -> None:
        while self._kept:
            connection = self._kept.pop()
            connection.invalidate()  # closed now: the pool it came from has ended
            connection.close()
