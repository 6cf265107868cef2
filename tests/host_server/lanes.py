# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Work for a lane, and databases on a disk that can be looked at."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from muster_server.lane import Lane
from muster_server.store.engine import Database, database_url, open_engine
from muster_server.store.sql import Sql

LONG_S = 20.0


class Disk:
    """Databases whose commits are counted, and may be refused."""

    def __init__(self, folder: Path, closers: ExitStack) -> None:
        self.folder = folder
        self.commits: list[str] = []
        self.full: set[str] = set()
        self._closers = closers

    def database(self, name: str, rank: int = 0) -> Database:
        engine = open_engine(database_url(self.folder, name))
        self._closers.callback(engine.dispose)
        disk = self

        class OnDisk(sqlite3.Connection):
            def commit(self) -> None:
                if name in disk.full:
                    raise sqlite3.OperationalError("database or disk is full")
                disk.commits.append(name)
                super().commit()

        def connect(dialect: Any, entry: Any, arguments: Any, named: dict[str, Any]) -> None:
            named["factory"] = OnDisk

        event.listen(engine, "do_connect", connect)
        with engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE press (id INTEGER PRIMARY KEY)")
        self.commits.clear()
        return Database(engine, rank)

    def kept(self, name: str) -> list[int]:
        """Return the rows that somebody else finds there."""
        other = sqlite3.connect(self.folder / f"{name}.sqlite")
        try:
            return [row[0] for row in other.execute("SELECT id FROM press ORDER BY id")]
        finally:
            other.close()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """Databases in a folder of the test's own."""
    with ExitStack() as closers:
        yield Disk(tmp_path, closers)


@pytest.fixture
def lane() -> Iterator[Lane]:
    """A lane that ends with the test."""
    made = Lane()
    yield made
    made.close()


def add(database: Database, number: int) -> int:
    with database.transaction() as connection:
        Sql(connection).run("INSERT INTO press VALUES (?)", number)
    return number


def seen(database: Database) -> list[int]:
    with database.reading() as connection:
        return [row[0] for row in Sql(connection).rows("SELECT id FROM press ORDER BY id")]


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(asyncio.wait_for(work, LONG_S))


async def together(lane: Lane, works: list[Callable[[], Any]]) -> list[Any]:
    """Let all of these come while the lane is busy, so that one batch has them; how each ended."""
    begun, go_on = threading.Event(), threading.Event()

    def busy() -> None:
        begun.set()
        go_on.wait(LONG_S)

    first = asyncio.create_task(lane.run(busy))
    await asyncio.to_thread(begun.wait, LONG_S)
    others = [asyncio.create_task(lane.run(work)) for work in works]
    while lane.waiting < len(works):
        await asyncio.sleep(0.001)
    go_on.set()
    await asyncio.gather(first, return_exceptions=True)  # it is in the same batch
    return list(await asyncio.gather(*others, return_exceptions=True))
