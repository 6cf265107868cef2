# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""One SQLAlchemy engine per role, on SQLite."""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import ConnectionPoolEntry, StaticPool

from muster_server.errors import Unavailable

BUSY_TIMEOUT_S = 5.0
MEMORY = "sqlite://"

log = logging.getLogger(__name__)


def database_url(data_dir: Path, role: str) -> str:
    """Return the URL of a role's database, e.g. "sqlite:////srv/muster-data/config.sqlite"."""
    return f"sqlite:///{(data_dir / role).with_suffix('.sqlite').absolute()}"


def open_engine(url: str) -> Engine:
    """An engine whose transactions take SQLite's write lock at their start.

    So a transaction that reads and then writes cannot find that somebody wrote in between. The
    caller disposes of the engine.
    """
    if url == MEMORY:
        engine = create_engine(
            url,
            poolclass=StaticPool,
            connect_args={"check_same_thread": False},
            hide_parameters=True,
        )
    else:
        engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_S}, hide_parameters=True)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """Everything in the block happens, or nothing of it. Unavailable if the database is busy."""
    try:
        with engine.begin() as connection:
            yield connection
    except OperationalError as error:
        log.error("the database refused: %s", error.orig)
        raise Unavailable("the database is busy", retry_s=2) from None


def _prepare(connection: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
    assert isinstance(connection, sqlite3.Connection)  # noqa: S101 - narrows SQLAlchemy's type
    # The driver's own transactions begin too late and end before DDL: we begin ourselves.
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA journal_mode = WAL")
    # WAL with NORMAL can lose the last commits in a power cut. What was handed out must be
    # remembered, so each commit reaches the disk.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
