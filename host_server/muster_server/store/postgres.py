# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""PostgreSQL as the store of a role: how it is reached, and its transactions.

Each role has a schema of its own in the database that the URL names. Transactions that write take
turns by a lock of their schema, in whichever process or machine they run, as SQLite's do by its
write lock; those that name what they are about share it, and take turns with their like alone.
"""

import contextlib
import logging
import re
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.dialects import registry
from sqlalchemy.exc import PendingRollbackError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from muster_server.errors import SettingsError, StoreError
from muster_server.store.postgres_connecting import PATIENCE_S, connector
from muster_server.store.postgres_turns import MIGRATION, number_of, turn

if TYPE_CHECKING:
    import psycopg

_SCHEMES = ("postgresql://", "postgres://")
_SCHEMA = "schema"  # our own part of the URL's query
_SCHEMA_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_CONNECTIONS = 16  # of a role, in each process
_AGAIN_S = 0.05
_READING = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_WRITING = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; "
ABOUT = "muster_about"  # an execution option: what the transaction is about

log = logging.getLogger(__name__)


def is_postgres(url: str) -> bool:
    """Tell whether the URL is one of PostgreSQL."""
    return url.startswith(_SCHEMES)


def role_url(store: str, role: str) -> str:
    """The URL of a role in the store, e.g. "postgresql://db/muster?schema=muster_config".

    `schema` in the store's URL is what the schemas' names begin with, in place of "muster".
    SettingsError if that is no name.
    """
    head, query = _parted(store)
    begin = query.pop(_SCHEMA, "muster")
    if not _SCHEMA_NAME.fullmatch(begin):
        raise SettingsError("--store: wanted a schema of small letters, digits and _")
    return f"{head}?{urlencode(query | {_SCHEMA: f'{begin}_{role}'})}"


def _parted(url: str) -> tuple[str, dict[str, str]]:
    head, _, query = url.partition("?")
    return head, dict(parse_qsl(query, keep_blank_values=True))


def open_postgres(url: str) -> Engine:
    """An engine whose transactions take their turn at their start; the caller disposes of it.

    SettingsError if the URL is none that libpq understands, or there is no driver.
    """
    head, query = _parted(url)
    schema = query.pop(_SCHEMA, "public")
    connect = connector(f"{head}?{urlencode(query)}", schema)
    registry.register("postgresql.muster", "muster_server.store.postgres_dialect", "Dialect")
    engine = create_engine(
        f"postgresql+muster://?{_SCHEMA}={schema}",  # without what the other one may hold
        creator=connect,
        poolclass=_Pool,
        pool_size=_CONNECTIONS,
        max_overflow=0,
        pool_timeout=PATIENCE_S,
        hide_parameters=True,
    )

    def begin(connection: Connection) -> None:
        about = connection.get_execution_options().get(ABOUT)
        driver_of(connection).execute(_WRITING + turn(number_of(schema), about), prepare=False)

    event.listen(engine, "begin", begin)
    return engine


class _Pool(QueuePool):
    """A pool that closes what comes back when it has ended: nobody takes it from there again."""

    _has_ended = False

    def dispose(self) -> None:
        self._has_ended = True
        super().dispose()

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        if self._has_ended:
            record.close()
        else:
            super()._do_return_conn(record)


def driver_of(connection: Connection) -> "psycopg.Connection[Any]":
    """Return psycopg's connection."""
    driver: Any = connection.connection.driver_connection
    return driver  # type: ignore[no-any-return]


@contextlib.contextmanager
def migrating(engine: Engine) -> Iterator[None]:
    """One at a time in all processes, however long it takes."""
    with unhurried(engine) as connection:
        lock = f"({own_number(engine)}, {MIGRATION})"
        driver_of(connection).execute(f"SELECT pg_advisory_lock{lock}")
        yield


@contextlib.contextmanager
def unhurried(engine: Engine) -> Iterator[Connection]:
    """A connection for what may take long; it and its locks end with the block."""
    with engine.connect() as connection:
        driver_of(connection).execute(
            "SET lock_timeout = 0; SET statement_timeout = 0;"
            " SET idle_in_transaction_session_timeout = 0",
            prepare=False,
        )
        try:
            yield connection
        finally:
            connection.invalidate()


def own_number(engine: Engine) -> int:
    """The first number of the role's locks."""
    return number_of(schema_of(engine))


def schema_of(engine: Engine) -> str:
    """The schema in which the role's tables are."""
    return str(engine.url.query[_SCHEMA])


class PostgresDatabase:
    """Transactions of one role; the errors are the driver's."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        # Some connections are left to those for whom others wait.
        self._waiters = threading.BoundedSemaphore(_CONNECTIONS // 2)

    @contextlib.contextmanager
    def transaction(self, about: str | None = None) -> Iterator[Connection]:
        """Everything in the block happens, or nothing of it. StoreError if a statement failed and
        the block went on as if it had not.
        """
        with self._begun(lambda connection: connection.begin(), about) as connection:
            yield connection
            if driver_of(connection).info.transaction_status.name == "INERROR":
                raise StoreError("a statement failed, and with it all of its transaction")
            connection.commit()

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """A snapshot, for questions alone."""

        def begin(connection: Connection) -> None:
            driver_of(connection).execute(_READING, prepare=False)

        with self._begun(begin) as connection:
            yield connection

    @contextlib.contextmanager
    def alone(self, what: str, patience_s: float) -> Iterator[bool]:
        """Tell whether nobody else is at this, in whichever process; then nobody is until the end
        of the block, which may have transactions of its own. It ends with its process, too.
        """
        lock = f"({own_number(self._engine)}, {number_of(what)})"
        with self._waiters, self._begun(lambda connection: None) as connection:
            driver = driver_of(connection)
            deadline = time.monotonic() + patience_s
            while not (is_mine := _answer(driver, f"SELECT pg_try_advisory_lock{lock}")):
                if time.monotonic() >= deadline:
                    break
                time.sleep(_AGAIN_S)
            try:
                yield is_mine
            finally:
                if is_mine:
                    self._unlock(connection, lock)

    def after(self, statement: str, *values: Any) -> Connection:
        """A connection on which this was done, outside of a transaction; the caller closes it."""
        return self._first(lambda c: driver_of(c).execute(statement, values or None), None)

    def _unlock(self, connection: Connection, lock: str) -> None:
        try:
            _answer(driver_of(connection), f"SELECT pg_advisory_unlock{lock}")
        except Exception as error:  # noqa: BLE001 - the lock went with the connection
            log.warning("a connection to the database is given up: %s", error)
            connection.invalidate()

    @contextlib.contextmanager
    def _begun(self, begin: Any, about: str | None = None) -> Iterator[Connection]:
        connection = self._first(begin, about)
        try:
            yield connection
        finally:
            self._give_back(connection)

    def _first(self, begin: Any, about: str | None) -> Connection:
        """A connection with a transaction. One that was kept may be that of a server that has
        gone: nothing has been asked yet, so another is made.
        """
        try:
            return self._tried(begin, about)
        except Exception as error:  # noqa: BLE001 - looked at, and raised again
            if not is_lost(error):
                raise
        self._engine.dispose()  # those that are kept are lost, too
        return self._tried(begin, about)

    def _tried(self, begin: Any, about: str | None) -> Connection:
        connection = self._engine.connect()
        try:
            if about is not None:
                connection = connection.execution_options(**{ABOUT: about})
            begin(connection)
        except BaseException:
            self._give_back(connection)
            raise
        return connection

    def _give_back(self, connection: Connection) -> None:
        """Leave no transaction open on a connection that others will use."""
        try:
            driver = driver_of(connection)
            if not driver.closed:
                driver.rollback()
            if driver.closed:
                connection.invalidate()
        except Exception as error:  # noqa: BLE001 - lost, however it ended
            log.warning("a connection to the database is given up: %s", error)
            connection.invalidate()
        finally:
            connection.close()


def _answer(driver: "psycopg.Connection[Any]", question: str) -> bool:
    row = driver.execute(question).fetchone()
    return bool(row and row[0])


def is_lost(error: BaseException) -> bool:
    """Tell whether the connection, and not the question, was what failed; also if it leads to a
    server of a cluster that may only read now.
    """
    import psycopg
    from psycopg import errors

    cause = getattr(error, "orig", error)
    lost = (
        *(errors.AdminShutdown, errors.CrashShutdown, errors.CannotConnectNow),
        errors.FeatureNotSupported,  # to write: it has become a copy of another
        psycopg.InterfaceError,
    )
    if isinstance(cause, lost):
        return True
    return isinstance(cause, psycopg.OperationalError) and cause.sqlstate is None


def reason_of(error: BaseException) -> str | None:
    """PostgreSQL's words against a statement, without values; None if the error is not its."""
    import psycopg

    cause = getattr(error, "orig", error)
    if not isinstance(cause, psycopg.Error):
        return None
    return f"{cause.diag.message_primary or type(cause).__name__} ({cause.sqlstate})"


def is_refused(error: BaseException) -> bool:
    """Tell whether the same may work a moment later: it is away, busy, or full."""
    import psycopg

    cause = getattr(error, "orig", error)
    is_away = isinstance(cause, psycopg.OperationalError | PendingRollbackError)
    return is_away or is_lost(error)
