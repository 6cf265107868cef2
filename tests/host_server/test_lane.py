# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does the lane promise to those whose work it does?"""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from muster_server import lane as lane_module
from muster_server.errors import Unavailable
from muster_server.lane import Lane, afterwards, batch, held, leave, settle
from muster_server.store.engine import Database, database_url, open_engine
from muster_server.store.sql import Sql

_LONG_S = 20.0


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
    with ExitStack() as closers:
        yield Disk(tmp_path, closers)


@pytest.fixture
def lane() -> Iterator[Lane]:
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
    return asyncio.run(asyncio.wait_for(work, _LONG_S))


async def together(lane: Lane, works: list[Callable[[], Any]]) -> list[Any]:
    """Let all of these come while the lane is busy, so that one batch has them; how each ended."""
    begun, go_on = threading.Event(), threading.Event()

    def busy() -> None:
        begun.set()
        go_on.wait(_LONG_S)

    first = asyncio.create_task(lane.run(busy))
    await asyncio.to_thread(begun.wait, _LONG_S)
    others = [asyncio.create_task(lane.run(work)) for work in works]
    while lane.waiting < len(works):
        await asyncio.sleep(0.001)
    go_on.set()
    await asyncio.gather(first, return_exceptions=True)  # it is in the same batch
    return list(await asyncio.gather(*others, return_exceptions=True))


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine that is busy a batch would end early, which is right and not wanted here."""
    monkeypatch.setattr(lane_module, "_LONGEST_S", _LONG_S)


def test_what_has_come_together_shares_a_commit_and_is_on_the_disk_when_it_is_told(
    disk: Disk, lane: Lane
) -> None:
    database = disk.database("config")

    async def work() -> None:
        ends = await together(lane, [partial(add, database, n) for n in range(10)])
        assert disk.kept("config") == ends == list(range(10))

    run(work())
    assert disk.commits == ["config"]


def test_who_fails_takes_back_his_own_transaction_alone(disk: Disk, lane: Lane) -> None:
    database = disk.database("config")

    def fail() -> int:
        add(database, 5)
        with database.transaction() as connection:
            Sql(connection).run("INSERT INTO press VALUES (6)")
            raise ValueError("on purpose")

    first, failed, last = run(
        together(lane, [lambda: add(database, 1), fail, lambda: add(database, 9)])
    )
    assert (first, type(failed), last) == (1, ValueError, 9)
    assert disk.kept("config") == [1, 5, 9]  # as outside: what was done before stays


def test_later_work_of_a_batch_sees_what_was_written_and_nobody_else_does(
    disk: Disk, lane: Lane
) -> None:
    database = disk.database("config")

    def look() -> tuple[list[int], list[int]]:
        return seen(database), disk.kept("config")

    assert run(together(lane, [lambda: add(database, 1), look]))[1] == ([1], [])
    assert run(together(lane, [look])) == [([1], [1])]


def test_lost_batch_is_told_to_all_whose_work_it_held(disk: Disk, lane: Lane) -> None:
    database = disk.database("config")
    done: list[int] = []

    def add_and_tell() -> None:
        add(database, 2)
        afterwards(lambda: done.append(2))

    disk.full = {"config"}
    ends = run(together(lane, [lambda: add(database, 1), add_and_tell, lambda: 3]))
    assert [type(end) for end in ends] == [Unavailable] * 3
    assert (disk.kept("config"), done) == ([], [])
    disk.full = set()
    run(together(lane, [add_and_tell]))
    assert (disk.kept("config"), done) == ([2], [2])


def test_who_is_asked_is_on_the_disk_first_and_nothing_is_if_that_fails(
    disk: Disk, lane: Lane
) -> None:
    asks, asked = disk.database("config", rank=1), disk.database("platform", rank=0)

    def both(number: int) -> None:
        add(asks, number)
        add(asked, number)

    run(together(lane, [lambda: both(1), lambda: both(2)]))
    assert disk.commits == ["platform", "config"]
    disk.full = {"platform"}
    (end,) = run(together(lane, [lambda: both(3)]))
    assert isinstance(end, Unavailable)
    assert disk.kept("config") == disk.kept("platform") == [1, 2]
    disk.full = set()
    run(together(lane, [lambda: both(4)]))
    assert disk.kept("config") == disk.kept("platform") == [1, 2, 4]


def test_who_leaves_finds_his_work_on_the_disk_and_keeps_nobody_waiting(
    disk: Disk, lane: Lane
) -> None:
    database = disk.database("config")
    outside, come_back = threading.Event(), threading.Event()

    def wait_for_another_server() -> list[int]:
        add(database, 2)
        leave()
        assert batch() is None
        found = disk.kept("config")
        outside.set()
        come_back.wait(_LONG_S)
        add(database, 4)
        return found

    async def work() -> None:
        before = asyncio.create_task(
            together(lane, [lambda: add(database, 1), wait_for_another_server])
        )
        await asyncio.to_thread(outside.wait, _LONG_S)
        assert await lane.run(add, database, 3) == 3
        assert disk.kept("config") == [1, 2, 3]
        come_back.set()
        assert await before == [1, [1, 2]]

    run(work())
    assert disk.kept("config") == [1, 2, 3, 4]


def test_who_leaves_a_lost_batch_is_told_so(disk: Disk, lane: Lane) -> None:
    database = disk.database("config")

    def go() -> None:
        add(database, 2)
        leave()
        raise AssertionError("went on, though its work is lost")

    disk.full = {"config"}
    ends = run(together(lane, [lambda: add(database, 1), go]))
    assert [type(end) for end in ends] == [Unavailable] * 2
    disk.full = set()
    assert run(together(lane, [lambda: add(database, 3)])) == [3]


def test_nobody_leaves_within_a_transaction(disk: Disk, lane: Lane) -> None:
    database = disk.database("config")

    def go() -> bool:
        with database.transaction() as connection:
            Sql(connection).run("INSERT INTO press VALUES (1)")
            leave()
            return batch() is not None

    assert run(together(lane, [go])) == [True]
    assert disk.kept("config") == [1]


def test_what_is_settled_is_on_the_disk_before_its_batch_ends(disk: Disk, lane: Lane) -> None:
    asks, asked = disk.database("config", rank=1), disk.database("platform", rank=0)

    def ask(number: int) -> list[int]:
        add(asks, number)
        settle()
        found = disk.kept("config")
        assert batch() is not None
        add(asked, number)
        return found

    assert run(together(lane, [lambda: add(asks, 1), lambda: ask(2)])) == [1, [1, 2]]
    assert disk.commits == ["config", "platform"]
    disk.full = {"config"}
    ends = run(together(lane, [lambda: add(asks, 3), lambda: ask(4), lambda: add(asked, 5)]))
    assert [type(end) for end in ends] == [Unavailable, Unavailable, int]  # the last came later
    assert disk.kept("config") == [1, 2]
    assert disk.kept("platform") == [2, 5]


def test_so_many_wait_outside_and_one_more_is_told_to_come_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    come_back = threading.Event()
    small = Lane()
    monkeypatch.setattr(small, "_outside", threading.BoundedSemaphore(2))

    are_outside = threading.Barrier(3)

    def go() -> str:
        leave()
        if not come_back.is_set():
            are_outside.wait(_LONG_S)
        come_back.wait(_LONG_S)
        return "back"

    async def work() -> None:
        waiting = [asyncio.create_task(small.run(go)) for _ in range(2)]
        await asyncio.to_thread(are_outside.wait, _LONG_S)
        with pytest.raises(Unavailable):
            await small.run(go)
        assert await small.run(lambda: 1) == 1
        come_back.set()
        assert await asyncio.gather(*waiting) == ["back"] * 2
        assert await small.run(go) == "back"

    run(work())
    small.close()


def test_lock_whose_holder_waits_for_the_database_does_not_stop_the_lane(
    disk: Disk, lane: Lane
) -> None:
    """The lane has the turn to write and wants the lock; another thread has the lock and wants
    the turn.
    """
    database, lock = disk.database("config"), threading.Lock()
    has_lock = threading.Event()

    def other() -> None:
        with lock:
            has_lock.set()
            add(database, 1)

    def ours() -> None:
        add(database, 2)
        thread = threading.Thread(target=other)
        thread.start()
        has_lock.wait(_LONG_S)
        with held(lock):
            add(database, 3)
        thread.join(_LONG_S)

    assert run(together(lane, [ours])) == [None]
    assert disk.kept("config") == [1, 2, 3]


def test_threads_and_the_lane_take_turns(disk: Disk, lane: Lane) -> None:
    database = disk.database("config")

    async def work() -> None:
        ours = [lane.run(add, database, n) for n in range(0, 200, 2)]
        others = [asyncio.to_thread(add, database, n) for n in range(1, 200, 2)]
        await asyncio.gather(*ours, *others)

    run(work())
    assert disk.kept("config") == list(range(200))


def test_work_that_was_given_up_before_its_turn_is_not_done(disk: Disk, lane: Lane) -> None:
    database = disk.database("config")

    async def work() -> None:
        go_on = threading.Event()
        first = asyncio.create_task(lane.run(go_on.wait, _LONG_S))
        second = asyncio.create_task(lane.run(add, database, 1))
        await asyncio.sleep(0.01)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        go_on.set()
        await first

    run(work())
    assert seen(database) == []


def test_closed_lane_has_done_what_had_come(disk: Disk) -> None:
    database, lane = disk.database("config"), Lane()

    async def work() -> None:
        tasks = [asyncio.create_task(lane.run(add, database, n)) for n in range(5)]
        await asyncio.sleep(0)
        lane.close()
        await asyncio.gather(*tasks)

    run(work())
    assert disk.kept("config") == list(range(5))


class SlowDisk:
    """An fdatasync that returns when it is let, and remembers of which files."""

    def __init__(self) -> None:
        self.files: list[str] = []
        self.go_on = threading.Event()
        self.error: OSError | None = None

    def fdatasync(self, file: int) -> None:
        self.files.append(Path(f"/proc/self/fd/{file}").readlink().name)
        assert self.go_on.wait(_LONG_S)
        if self.error is not None:
            raise self.error


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> SlowDisk:
    slow = SlowDisk()
    monkeypatch.setattr("muster_server.store.unsynced.os.fdatasync", slow.fdatasync)
    monkeypatch.setattr(lane_module, "_QUICK_S", 0.0)
    return slow


def test_lane_goes_on_while_the_disk_is_waited_for_and_nobody_is_told_before(
    disk: Disk, lane: Lane, slow: SlowDisk
) -> None:
    asks, asked = disk.database("config", rank=1), disk.database("platform", rank=0)

    def both(number: int) -> None:
        add(asks, number)
        add(asked, number)

    async def work() -> None:
        first = asyncio.create_task(lane.run(both, 1))
        while not slow.files:
            await asyncio.sleep(0.001)
        others = [asyncio.create_task(lane.run(both, n)) for n in (2, 3)]
        while disk.kept("config") != [1, 2, 3]:
            await asyncio.sleep(0.001)
        assert not any(task.done() for task in (first, *others))
        assert await lane.run(lambda: 4) == 4  # who has written nothing
        slow.go_on.set()
        await asyncio.gather(first, *others)

    run(work())
    assert slow.files[:2] == ["platform.sqlite-wal", "config.sqlite-wal"]
    assert 3 <= len(slow.files) <= 6


def test_disk_that_fails_is_told_to_all_whose_work_it_may_have_lost(
    disk: Disk, lane: Lane, slow: SlowDisk
) -> None:
    database = disk.database("config")
    slow.error = OSError(5, "Input/output error")
    slow.go_on.set()
    done: list[int] = []

    def work() -> None:
        add(database, 1)
        afterwards(lambda: done.append(1))

    (end,) = run(together(lane, [work]))
    assert isinstance(end, Unavailable)
    assert done == []


def test_who_leaves_waits_for_the_disk(disk: Disk, lane: Lane, slow: SlowDisk) -> None:
    database = disk.database("config")
    left = threading.Event()

    def go() -> None:
        add(database, 1)
        leave()
        left.set()

    async def work() -> None:
        task = asyncio.create_task(lane.run(go))
        while not slow.files:
            await asyncio.sleep(0.001)
        assert not left.is_set()
        slow.go_on.set()
        await task

    run(work())
    assert left.is_set()


def test_only_the_lanes_connection_does_not_wait_for_the_disk(disk: Disk, lane: Lane) -> None:
    database = disk.database("config")

    def waits() -> int:
        with database.transaction() as connection:
            found: int = Sql(connection).value("PRAGMA synchronous")
            return found

    assert run(together(lane, [waits])) == [1]
    assert waits() == 2
    with database.reading() as connection:
        assert Sql(connection).value("PRAGMA synchronous") == 2
    disk.full = {"config"}
    run(together(lane, [lambda: add(database, 1)]))
    disk.full = set()
    assert [waits() for _ in range(3)] == [2, 2, 2]


def test_outside_of_the_lane_nothing_waits() -> None:
    done: list[int] = []
    afterwards(lambda: done.append(1))
    leave()
    assert done == [1]
    assert batch() is None
