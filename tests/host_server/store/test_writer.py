# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What do transactions promise that share a commit?"""

import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from muster_server.errors import Unavailable
from muster_server.store import engine as engine_module
from muster_server.store.engine import Database, database_url, open_engine
from muster_server.store.sql import Sql

_LONG_S = 20


class Disk:
    """The commits that were tried, and whether they are refused."""

    def __init__(self) -> None:
        self.commits = 0
        self.is_full = False

    def connection(self) -> type[sqlite3.Connection]:
        """The driver's connection, as it is on this disk."""
        disk = self

        class OnDisk(sqlite3.Connection):
            def commit(self) -> None:
                disk.commits += 1
                if disk.is_full:
                    raise sqlite3.OperationalError("database or disk is full")
                super().commit()

        return OnDisk


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def engine(tmp_path: Path, disk: Disk) -> Iterator[Engine]:
    engine = open_engine(database_url(tmp_path, "config"))
    kind = disk.connection()

    def connect(dialect: Any, entry: Any, arguments: Any, named: dict[str, Any]) -> None:
        named["factory"] = kind

    event.listen(engine, "do_connect", connect)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE press (id INTEGER PRIMARY KEY)")
    yield engine
    engine.dispose()


def add(database: Database, number: int) -> None:
    with database.transaction() as connection:
        Sql(connection).run("INSERT INTO press VALUES (?)", number)


def kept(database: Database) -> list[int]:
    with database.reading() as connection:
        return [row[0] for row in Sql(connection).rows("SELECT id FROM press ORDER BY id")]


def gathered(database: Database, works: list[Any]) -> list[Any]:
    """Let all of these wait for the turn of one who has it, so that they come together."""
    with ThreadPoolExecutor(len(works)) as pool:
        # Whoever has the turn is one of them, if the commit fails.
        with suppress(Unavailable), database.transaction():
            ends = [pool.submit(work) for work in works]
            deadline = threading.Event()
            for _ in range(_LONG_S * 100):
                if len(database._writer._waiting) == len(works):
                    break
                deadline.wait(0.01)
            assert len(database._writer._waiting) == len(works)
        return [end.exception(_LONG_S) for end in ends]


def test_those_who_wait_share_a_commit_and_all_are_kept(engine: Engine, disk: Disk) -> None:
    database = Database(engine)
    before = disk.commits
    ends = gathered(database, [lambda n=n: add(database, n) for n in range(20)])
    assert ends == [None] * 20
    assert kept(database) == list(range(20))
    assert 0 < disk.commits - before < 20


def test_who_fails_takes_back_his_own_part_and_nobody_elses(engine: Engine) -> None:
    database = Database(engine)

    def fail(number: int) -> None:
        with database.transaction() as connection:
            Sql(connection).run("INSERT INTO press VALUES (?)", number)
            raise ValueError(number)

    works = [(lambda n=n: fail(n) if n % 3 == 0 else add(database, n)) for n in range(12)]
    ends = gathered(database, works)
    assert [type(end) for end in ends] == [
        ValueError if n % 3 == 0 else type(None) for n in range(12)
    ]
    assert kept(database) == [n for n in range(12) if n % 3]


def test_commit_that_fails_is_told_to_everybody_whose_work_it_held(
    engine: Engine, disk: Disk
) -> None:
    database = Database(engine)
    before, disk.is_full = disk.commits, True
    ends = gathered(database, [lambda n=n: add(database, n) for n in range(5)])
    disk.is_full = False
    assert disk.commits > before
    assert all(isinstance(end, Unavailable) for end in ends)
    assert kept(database) == []
    add(database, 7)
    assert kept(database) == [7]


def test_nobody_goes_on_before_his_work_is_committed(engine: Engine, tmp_path: Path) -> None:
    database = Database(engine)
    missing: list[int] = []

    def add_and_look(number: int) -> None:
        add(database, number)
        other = sqlite3.connect(tmp_path / "config.sqlite")
        try:
            if not other.execute("SELECT 1 FROM press WHERE id = ?", (number,)).fetchone():
                missing.append(number)
        finally:
            other.close()

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(add_and_look, range(200)))
    assert missing == []
    assert kept(database) == list(range(200))


def test_reader_sees_what_was_there_when_he_began_and_keeps_nobody_from_writing(
    engine: Engine,
) -> None:
    database = Database(engine)
    add(database, 1)
    with database.reading() as connection:
        sql = Sql(connection)
        assert sql.value("SELECT count(*) FROM press") == 1
        with ThreadPoolExecutor(1) as pool:
            pool.submit(add, database, 2).result(_LONG_S)
        assert sql.value("SELECT count(*) FROM press") == 1
    assert kept(database) == [1, 2]


def test_what_a_reader_writes_is_not_kept(engine: Engine) -> None:
    database = Database(engine)
    with database.reading() as connection:
        Sql(connection).run("INSERT INTO press VALUES (1)")
    assert kept(database) == []


def test_who_waits_too_long_for_his_turn_is_told_to_come_again(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "BUSY_TIMEOUT_S", 0.05)
    database = Database(engine)
    with database.transaction() as connection, ThreadPoolExecutor(1) as pool:
        Sql(connection).run("INSERT INTO press VALUES (1)")
        assert isinstance(pool.submit(add, database, 2).exception(_LONG_S), Unavailable)
    add(database, 3)
    assert kept(database) == [1, 3]
