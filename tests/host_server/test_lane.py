# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does the lane promise to those whose work it does?"""

import asyncio
import threading
from functools import partial

import pytest

from muster_server import lane as lane_module
from muster_server.errors import Unavailable
from muster_server.lane import Lane, afterwards, batch, has_looked, held, leave, looked, settle
from muster_server.store.sql import Sql
from tests.host_server.lanes import LONG_S, Disk, add, run, seen, together
from tests.host_server.lanes import disk as disk
from tests.host_server.lanes import lane as lane


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a machine that is busy a batch would end early, which is right and not wanted here."""
    monkeypatch.setattr(lane_module, "_LONGEST_S", LONG_S)


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
        come_back.wait(LONG_S)
        add(database, 4)
        return found

    async def work() -> None:
        before = asyncio.create_task(
            together(lane, [lambda: add(database, 1), wait_for_another_server])
        )
        await asyncio.to_thread(outside.wait, LONG_S)
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
            are_outside.wait(LONG_S)
        come_back.wait(LONG_S)
        return "back"

    async def work() -> None:
        waiting = [asyncio.create_task(small.run(go)) for _ in range(2)]
        await asyncio.to_thread(are_outside.wait, LONG_S)
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
        has_lock.wait(LONG_S)
        with held(lock):
            add(database, 3)
        thread.join(LONG_S)

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
        first = asyncio.create_task(lane.run(go_on.wait, LONG_S))
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


def test_file_is_looked_at_once_between_two_commits(disk: Disk, lane: Lane) -> None:
    database = disk.database("config")
    looks: list[str] = []

    def look(when: str) -> None:
        if not has_looked("file"):
            looks.append(when)
            looked("file")

    def work() -> None:
        look("first")
        look("second")
        add(database, 1)  # whoever changes the file with the database's lock has done so
        look("with the lock")
        look("again")
        settle()
        look("after the commit")

    run(together(lane, [work]))
    look("outside")
    look("outside")
    assert looks == ["first", "with the lock", "after the commit", "outside", "outside"]


def test_defect_in_what_follows_a_commit_keeps_nobody_from_his_answer(
    disk: Disk, lane: Lane, caplog: pytest.LogCaptureFixture
) -> None:
    database, done = disk.database("config"), []

    def fail() -> None:
        raise ValueError("on purpose")

    def work() -> int:
        afterwards(fail)
        afterwards(lambda: done.append(1))
        return add(database, 1)

    async def both() -> list[object]:
        told = asyncio.Event()

        def tell(value: int | None, error: Exception | None) -> None:
            told.set()
            raise ValueError("on purpose, too")

        lane.put(lambda: 1, tell)
        found = await together(lane, [work, lambda: add(database, 2)])
        await told.wait()
        return found

    assert run(both()) == [1, 2]
    assert done == [1]
    assert {record.message for record in caplog.records} == {
        "what was to follow a commit failed",
        "what came of a request could not be told",
    }


def test_outside_of_the_lane_nothing_waits() -> None:
    done: list[int] = []
    afterwards(lambda: done.append(1))
    leave()
    assert done == [1]
    assert batch() is None
