# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What is a client told, and an operator, when the database cannot do its work?"""

import logging
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.exc import IntegrityError

from muster_server.errors import Unavailable
from muster_server.store.engine import Database, database_url, open_engine
from muster_server.store.sql import Sql

_SECRET = "hunter2"
_PAGE = 4096


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(database_url(tmp_path, "config"))
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE press (id INTEGER PRIMARY KEY, text TEXT)")
    yield engine
    engine.dispose()


def add(database: Database, number: int, text: str = _SECRET) -> None:
    with database.transaction() as connection:
        Sql(connection).run("INSERT INTO press VALUES (?, ?)", number, text)


def kept(database: Database) -> list[int]:
    with database.reading() as connection:
        return [row[0] for row in Sql(connection).rows("SELECT id FROM press ORDER BY id")]


def on_each_connection(engine: Engine, pragma: str) -> None:
    """Have every connection from now on begin with this."""
    engine.dispose()

    def prepare(connection: sqlite3.Connection, entry: object) -> None:
        connection.execute(f"PRAGMA {pragma}")

    event.listen(engine, "connect", prepare)


def refusal(database: Database, caplog: pytest.LogCaptureFixture, text: str) -> Unavailable:
    with caplog.at_level(logging.ERROR), pytest.raises(Unavailable) as caught:
        add(database, 7, text)
    assert _SECRET not in caplog.text and _SECRET not in str(caught.value)
    return caught.value


def test_full_disk_is_named_and_over_once_there_is_room(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    database = Database(engine)
    add(database, 1)
    on_each_connection(engine, "max_page_count = 20")
    told = refusal(database, caplog, _SECRET * 20_000)
    assert (str(told), told.retry_s) == ("the disk of the data is full", 60)
    assert "make room" in caplog.text
    assert kept(database) == [1]
    add(database, 2)  # what fits, goes on
    assert kept(database) == [1, 2]


def test_damaged_page_is_named_with_the_remedy(
    engine: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    database = Database(engine)
    for number in range(20, 60):
        add(database, number, _SECRET * 100)
    with engine.connect() as connection:
        connection.exec_driver_sql("ROLLBACK")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    file = tmp_path / "config.sqlite"
    content = file.read_bytes()
    file.write_bytes(content[:_PAGE] + b"\xa5" * (len(content) - _PAGE))
    told = refusal(database, caplog, _SECRET)
    assert (str(told), told.retry_s) == ("the database is damaged", 300)
    assert "muster backup restore" in caplog.text
    with pytest.raises(Unavailable, match="damaged"):
        kept(database)


def test_file_that_is_no_database_is_named(engine: Engine, tmp_path: Path) -> None:
    database = Database(engine)
    engine.dispose()
    for file in tmp_path.glob("config.sqlite*"):
        file.write_bytes(b"nothing of the kind " * 1000)
    with pytest.raises(Unavailable, match="damaged"):
        kept(database)


def test_data_that_cannot_be_written_are_read_all_the_same(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    database = Database(engine)
    add(database, 1)
    on_each_connection(engine, "query_only = 1")
    assert str(refusal(database, caplog, _SECRET)) == "the data cannot be written"
    assert kept(database) == [1]


def test_mistake_of_ours_is_no_refusal_of_the_database(engine: Engine) -> None:
    database = Database(engine)
    add(database, 1)
    with pytest.raises((IntegrityError, sqlite3.IntegrityError)):
        add(database, 1)
    with pytest.raises(sqlite3.OperationalError, match="no such table"), database.reading() as c:
        Sql(c).rows("SELECT id FROM no_such_thing")
    assert kept(database) == [1]
