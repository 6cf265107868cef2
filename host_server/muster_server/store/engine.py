# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""One SQLAlchemy engine per role; reads beside writers. On SQLite there is one who writes."""

import logging
import sqlite3
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import cast

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DatabaseError, TimeoutError
from sqlalchemy.pool import ConnectionPoolEntry, StaticPool

from muster_server import lane
from muster_server.errors import StoreError, Unavailable
from muster_server.store.checkpoints import Checkpoints
from muster_server.store.kept_connections import KeptConnections
from muster_server.store.postgres import (
    PostgresDatabase,
    is_postgres,
    is_refused,
    open_postgres,
    reason_of,
    role_url,
)
from muster_server.store.refused import is_refusal, unavailable
from muster_server.store.unsynced import Unsynced
from muster_server.store.writer import BEGIN, Held, TurnTimeout, Undone, Writer

BUSY_TIMEOUT_S = 5.0
_LOOK_AGAIN_MS = 20  # in which SQLite looks five times
MEMORY = "sqlite://"
POSTGRES = "postgresql"  # the name of such an engine
# Each thread of a role may read at the same time.
_CONNECTIONS = 96
_STATEMENTS_KEPT = 512
_CACHE_KIB = 8192  # of each connection
_LOG_PAGES = 8000  # of 4 KiB; until then a thread does it

# What SQLite says when it refuses, or its turn does not come.
_TOLD = (TurnTimeout, Undone, DatabaseError, sqlite3.DatabaseError)

log = logging.getLogger(__name__)


def database_url(data_dir: Path, role: str, store: str | None = None) -> str:
    """Return the URL of a role's database, e.g. "sqlite:////srv/muster-data/config.sqlite", or
    that of its schema in a store of PostgreSQL. SettingsError if the store's URL is none.
    """
    if store is not None:
        return role_url(store, role)
    return f"sqlite:///{(data_dir / role).with_suffix('.sqlite').absolute()}"


def open_engine(url: str) -> Engine:
    """An engine whose transactions take the write lock at their start.

    So a transaction that reads and then writes cannot find that somebody wrote in between. The
    caller disposes of the engine. SettingsError if a URL of PostgreSQL is none.
    """
    if is_postgres(url):
        return open_postgres(url)
    if url == MEMORY:
        engine = create_engine(
            url,
            poolclass=StaticPool,
            connect_args={"check_same_thread": False},
            hide_parameters=True,
        )
    else:
        engine = create_engine(
            url,
            pool_size=_CONNECTIONS,
            pool_timeout=BUSY_TIMEOUT_S,
            connect_args={
                "timeout": BUSY_TIMEOUT_S,
                "cached_statements": _STATEMENTS_KEPT,
            },
            hide_parameters=True,
        )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


class Database:
    """A role's database: many read at once, each as it was when he began, and one writes."""

    def __init__(self, engine: Engine, rank: int = 0) -> None:
        """The caller disposes of the engine. Of the databases that one batch of the lane has
        written, those with a lower rank are the first on the disk.
        """
        self._rank = rank
        self._kept = KeptConnections(engine)
        self._unsynced = Unsynced(engine)
        self._writer = Writer(
            self._kept, self._unsynced, Checkpoints(engine).note, lambda: BUSY_TIMEOUT_S
        )
        self._postgres = PostgresDatabase(engine) if engine.name == POSTGRES else None
        # Another number after the database was away: each connection is a new one then.
        self.connections_made = 0
        event.listen(engine, "connect", self._count)

    def _count(self, connection: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
        self.connections_made += 1

    def transaction(self, about: str | None = None) -> AbstractContextManager[Connection]:
        """Everything in the block happens, or nothing of it; it is on the disk when the block has
        ended. Not to be nested. Unavailable if it is busy, away, damaged, or its disk full.

        On PostgreSQL, blocks that say what they are about, e.g. a device's id, and touch nothing
        that is about something else, run beside each other; all others one after another.
        """
        if self._postgres is not None:
            return self._of_postgres(self._postgres, about)
        batch = lane.batch()
        return self._alone() if batch is None else _Part(self, batch)

    @contextmanager
    def _of_postgres(self, postgres: PostgresDatabase, about: str | None) -> Iterator[Connection]:
        with _translated(), postgres.transaction(about) as connection:
            yield connection

    @contextmanager
    def _alone(self) -> Iterator[Connection]:
        with _told(), self._writer.part() as connection:
            yield connection

    def share(self, batch: lane.Batch) -> "_Share":
        """Return what the batch of this thread writes here; it has the turn until it ends."""
        found = batch.shares.get(self)
        if found is None:
            batch.looked_at.clear()
            found = batch.shares[self] = _Share(self._writer.hold(), self._unsynced, self._rank)
        return cast(_Share, found)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """The database as it is now, for questions alone; nobody who writes waits for it.

        Unavailable if it does not answer.
        """
        if self._postgres is not None:
            with _translated(), self._postgres.reading() as connection:
                yield connection
            return
        batch = lane.batch()
        if batch is not None and self in batch.shares:
            yield self.share(batch).held.connection  # as its batch has left it
            return
        # What the lane has read lately is at hand in its own connection, and in no other: each
        # forgets all that it has read when another one writes.
        is_ours = batch is not None and self._unsynced.wal is not None
        kept = self._unsynced if is_ours else self._kept
        try:
            connection = kept.take()
            try:
                driver = connection.connection.driver_connection
                assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - narrows the type
                driver.execute("BEGIN")
                try:
                    yield connection
                finally:
                    driver.execute("ROLLBACK")
            except BaseException:
                kept.drop(connection)
                raise
            kept.give_back(connection)
        except (DatabaseError, sqlite3.DatabaseError, TimeoutError) as error:
            if not isinstance(error, TimeoutError) and not is_refusal(error):
                raise
            raise unavailable(error) from None

    @property
    def is_shared(self) -> bool:
        """Tell whether other processes may be at work on it."""
        return self._postgres is not None

    @contextmanager
    def alone(self, what: str, patience_s: float = 0.0) -> Iterator[bool]:
        """Tell whether nobody else is at this, in any process; then nobody is until the block
        ends, in which there may be transactions. True on SQLite, which has one process.

        Unavailable if the database does not say.
        """
        if self._postgres is None:
            yield True
            return
        with _translated(), self._postgres.alone(what, patience_s) as is_mine:
            yield is_mine


class _Part:
    """A transaction in the lane: a part of what its batch writes. A class, for there are eight in
    an onboarding, and four generators around each.
    """

    def __init__(self, database: Database, batch: lane.Batch) -> None:
        self._database = database
        self._batch = batch

    def __enter__(self) -> Connection:
        try:
            self._held = self._database.share(self._batch).held
            connection = self._held.begin_part()
        except _TOLD as error:
            _tell(error)
            raise
        self._batch.open_parts += 1
        return connection

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._batch.open_parts -= 1
        try:
            self._held.end_part(error)
        except _TOLD as refused:
            _tell(refused)
            raise
        if isinstance(error, _TOLD):
            _tell(error)


class _Share:
    """The part of a batch of the lane that is written to a database."""

    def __init__(self, held: Held, unsynced: Unsynced, rank: int) -> None:
        self.held = held
        self._unsynced = unsynced
        self.rank = rank

    def end(self) -> None:
        """Commit it. Unavailable if it could not be kept."""
        with _told():
            self.held.end()

    def sync(self) -> None:
        """Return when what was committed is on the disk. Unavailable if it may not be."""
        try:
            self._unsynced.sync()
        except OSError as error:
            log.error("the disk may not have kept what was written: %s", error.strerror)
            raise Unavailable("the disk did not take what was written", retry_s=10) from None

    def undo(self) -> None:
        """Take it back."""
        self.held.undo()


@contextmanager
def _told() -> Iterator[None]:
    """Unavailable in place of what SQLite says when it refuses, or its turn does not come."""
    try:
        yield
    except _TOLD as error:
        _tell(error)
        raise


def _tell(error: Exception) -> None:
    """Raise Unavailable in place of an error that is a refusal."""
    if isinstance(error, TurnTimeout):
        log.error("the database is busy: the turn to write did not come")
        raise Unavailable("the database is busy", retry_s=2) from None
    if isinstance(error, Undone) or is_refusal(error):
        raise unavailable(error) from None


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """A transaction for who comes beside a server. Unavailable if the database is busy."""
    if engine.name == POSTGRES:
        with _translated(), PostgresDatabase(engine).transaction() as connection:
            yield connection
        return
    try:
        with engine.begin() as connection:
            yield connection
    except (DatabaseError, sqlite3.DatabaseError) as error:
        if not is_refusal(error):
            raise
        raise unavailable(error) from None


@contextmanager
def _translated() -> Iterator[None]:
    """Unavailable in place of PostgreSQL's own errors that another moment may mend, StoreError in
    place of the others: their own words repeat what was to be stored.
    """
    try:
        yield
    except TimeoutError as error:
        raise unavailable(error) from None
    except Exception as error:
        if is_refused(error):
            raise unavailable(error) from None
        reason = reason_of(error)
        if reason is None:
            raise
        raise StoreError(f"the database refused a statement: {reason}") from None


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
    # Of a large fleet's pages the upper ones of each tree stay at hand. What was committed goes
    # from the log into the database beside the writers; in a commit it would take long, and it is
    # done there only to bound the log: under load it can start anew at no other moment.
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")


def _begin(connection: Connection) -> None:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - narrows SQLAlchemy's type
    if not driver.in_transaction:  # the writer begins its own
        _begin_beside_others(driver)


def _begin_beside_others(driver: sqlite3.Connection) -> None:
    """Begin as soon as nobody writes.

    SQLite looks ten times a second after a while, and a busy server writes at nearly all moments:
    who comes beside it would hardly ever find none. So it begins to wait anew all the time.
    """
    ends = time.monotonic() + BUSY_TIMEOUT_S
    driver.execute(f"PRAGMA busy_timeout = {_LOOK_AGAIN_MS}")
    try:
        while True:
            try:
                driver.execute(BEGIN)
                return
            except sqlite3.OperationalError as error:
                is_busy = error.sqlite_errorcode == sqlite3.SQLITE_BUSY
                if not is_busy or time.monotonic() > ends:
                    raise
    finally:
        driver.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_S * 1000:.0f}")
