# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Puts what was committed from SQLite's log into its database, beside those who write.

By itself SQLite does that in the commit that makes the log long, so that now and then somebody
waits for thousands of pages (https://sqlite.org/wal.html#ckpt). Here a thread does it, which waits
for nobody and keeps nobody waiting ("passive").
"""

import logging
import sqlite3
import threading
from contextlib import suppress

from sqlalchemy import Engine, event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import StaticPool

_EVERY_S = 1.0  # at most
_END_S = 5.0

log = logging.getLogger(__name__)


class Checkpoints:
    """The thread of one database; there is none before anything was committed."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._has_log = not isinstance(engine.pool, StaticPool)
        self._news = threading.Event()
        self._ends = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._has_failed = False  # and it was told
        event.listen(engine, "engine_disposed", self._end)

    def note(self) -> None:
        """Remember that something was committed."""
        if self._news.is_set() or not self._has_log:
            return
        self._news.set()
        if self._thread is None:
            with self._lock:
                if self._thread is None and not self._ends.is_set():
                    self._thread = threading.Thread(target=self._run, name="log", daemon=True)
                    self._thread.start()

    def _run(self) -> None:
        while not self._ends.is_set():
            self._news.wait()
            # What comes meanwhile is in the same one.
            if self._ends.wait(_EVERY_S):
                return
            self._news.clear()
            try:
                self._move()
                self._has_failed = False
            except (sqlite3.Error, SQLAlchemyError) as error:
                # Who commits tries it, too, when the log is long; and says more, if he fails.
                if not self._has_failed:
                    log.warning("the log could not be put into its database: %s", _reason(error))
                self._has_failed = True

    def _move(self) -> None:
        with self._engine.connect() as connection:
            driver = connection.connection.driver_connection
            assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - narrows the type
            driver.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def _end(self, engine: Engine) -> None:
        self._ends.set()
        self._news.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            with suppress(RuntimeError):
                self._thread.join(_END_S)


def _reason(error: Exception) -> str:
    return str(getattr(error, "orig", error))
