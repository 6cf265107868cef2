# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does what was committed go into the database by itself, beside those who write?"""

import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from muster_server.store import checkpoints
from muster_server.store.engine import Database, database_url, open_engine
from muster_server.store.sql import Sql

_LONG_S = 20.0


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setattr(checkpoints, "_EVERY_S", 0.01)
    engine = open_engine(database_url(tmp_path, "config"))
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE press (id INTEGER PRIMARY KEY)")
    yield engine
    engine.dispose()


def add(database: Database, number: int) -> None:
    with database.transaction() as connection:
        Sql(connection).run("INSERT INTO press VALUES (?)", number)


def without_log(folder: Path) -> list[int]:
    """The rows that the database's own file has."""
    copy = folder / f"copy-{time.monotonic_ns()}.sqlite"
    copy.write_bytes((folder / "config.sqlite").read_bytes())
    connection = sqlite3.connect(copy)
    try:
        return [row[0] for row in connection.execute("SELECT id FROM press ORDER BY id")]
    except sqlite3.Error:
        return []  # copied while it was being written
    finally:
        connection.close()


def wait_for(what: list[int], folder: Path) -> None:
    deadline = time.monotonic() + _LONG_S
    while without_log(folder) != what:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "log"}


def test_what_was_committed_goes_into_the_database(engine: Engine, tmp_path: Path) -> None:
    database = Database(engine)
    for number in range(3):
        add(database, number)
    wait_for([0, 1, 2], tmp_path)
    add(database, 3)
    wait_for([0, 1, 2, 3], tmp_path)


def test_reader_that_stays_keeps_nobody_waiting(engine: Engine, tmp_path: Path) -> None:
    database = Database(engine)
    add(database, 1)
    with database.reading() as connection:
        assert Sql(connection).value("SELECT count(*) FROM press") == 1
        for number in range(2, 20):
            add(database, number)
            time.sleep(0.005)
        assert Sql(connection).value("SELECT count(*) FROM press") == 1
    add(database, 20)
    wait_for(list(range(1, 21)), tmp_path)


def test_its_thread_ends_with_the_engine(engine: Engine, tmp_path: Path) -> None:
    before = threads()
    database = Database(engine)
    assert threads() == before
    add(database, 1)
    (own,) = threads() - before
    engine.dispose()
    own.join(_LONG_S)
    assert not own.is_alive()


def test_failure_is_told_once(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tried = threading.Semaphore(0)

    def fail(self: checkpoints.Checkpoints) -> None:
        tried.release()
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(checkpoints.Checkpoints, "_move", fail)
    database = Database(engine)
    for number in range(3):
        add(database, number)
        assert tried.acquire(timeout=_LONG_S)
    assert sum("could not be put" in record.message for record in caplog.records) == 1
