# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Waits for the transactions that write on PostgreSQL, without being in anybody's way.

A row gets its number before its transaction ends. Transactions that run beside each other may end
in another order, so whoever reads rows by their numbers, and looks at none twice, waits for those
that had begun.
"""

import time

from sqlalchemy import Engine

from muster_server.store.postgres import PostgresDatabase, driver_of, is_refused, own_number
from muster_server.store.postgres_turns import ALL
from muster_server.store.refused import unavailable

_PATIENCE_S = 5.0
_LOOK_S = 0.01
# Each holds the lock of its schema, alone or shared, until what it has written can be seen.
_AT_WORK = (
    "SELECT virtualtransaction FROM pg_locks WHERE locktype = 'advisory' AND granted"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND classid = %s::bigint::oid AND objid = %s::bigint::oid AND objsubid = 2"
)


def settle(engine: Engine) -> None:
    """Wait for the end of those that have begun; others may begin meanwhile. Unavailable if one
    does not end, or the database does not answer.
    """
    try:
        _wait(engine, time.monotonic() + _PATIENCE_S)
    except Exception as error:
        if is_refused(error) or isinstance(error, TimeoutError):
            raise unavailable(error) from None
        raise


def _wait(engine: Engine, deadline: float) -> None:
    lock = (own_number(engine), ALL % 2**32)
    connection = PostgresDatabase(engine).after("SELECT 1")
    try:
        driver = driver_of(connection)
        left = set(driver.execute(_AT_WORK, lock).fetchall())
        while left:
            if time.monotonic() >= deadline:
                raise TimeoutError("a transaction that writes does not end")
            time.sleep(_LOOK_S)
            left &= set(driver.execute(_AT_WORK, lock).fetchall())
    finally:
        connection.close()
