# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A connection whose commits do not wait for the disk, and the wait for it by itself.

With `synchronous = NORMAL` SQLite writes a commit to the WAL and leaves it to the system when that
reaches the disk; with `FULL` it calls fdatasync on the WAL besides, and waits
(https://sqlite.org/pragma.html#pragma_synchronous). Whoever calls it himself may do something else
meanwhile, and once for many commits. After a power cut the WAL is good up to some commit, by its
checksums: none of those that were waited for is missing.
"""

import os
import sqlite3
import threading
from contextlib import suppress

from sqlalchemy import Connection, Engine, event
from sqlalchemy.pool import StaticPool

# Devices' requests are all here: of a million devices the upper pages of all trees stay at hand.
_CACHE_KIB = 32768


class Unsynced:
    """The one connection of a SQLite database that does not wait; and its WAL."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        in_memory = isinstance(engine.pool, StaticPool)
        self.wal = None if in_memory or not engine.url.database else f"{engine.url.database}-wal"
        self._kept: list[Connection] = []  # one, or none while it is used
        self._lock = threading.Lock()
        self._file = -1
        event.listen(engine, "engine_disposed", self._end)

    def take(self) -> Connection:
        """The connection, outside of any transaction. Raises what SQLAlchemy's pool raises."""
        with suppress(IndexError):
            return self._kept.pop()
        made = self._engine.connect()
        driver = made.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - narrows SQLAlchemy's type
        driver.execute("PRAGMA synchronous = NORMAL")
        driver.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        # What one of the parts of a batch would have to take back is copied first, page by page:
        # from 64 KiB on into a file, of which an onboarding wrote 140 pieces.
        driver.execute("PRAGMA temp_store = MEMORY")
        return made

    def give_back(self, connection: Connection) -> None:
        """Take it back, outside of any transaction. There may be a second one, if somebody wrote
        while he read; it ends.
        """
        if self._kept:
            self.drop(connection)
        else:
            self._kept.append(connection)

    def drop(self, connection: Connection) -> None:
        """End it: it goes to nobody who relies on commits that wait."""
        connection.invalidate()
        connection.close()

    def sync(self) -> None:
        """Return when all commits until now are on the disk. Raises OSError if they may not be."""
        if self.wal is None:
            return
        with self._lock:
            if self._file < 0 or os.fstat(self._file).st_nlink == 0:
                self._close()
                self._file = os.open(self.wal, os.O_RDONLY | os.O_CLOEXEC)
            os.fdatasync(self._file)

    def _close(self) -> None:
        # SQLite's locks are on other files: to close this one gives up none of them.
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _end(self, engine: Engine) -> None:
        with self._lock:
            self._close()
        while self._kept:
            self.drop(self._kept.pop())
