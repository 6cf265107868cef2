# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Is what the lane has written on the disk before anybody is told, and does it go on meanwhile?"""

import asyncio
import threading
from pathlib import Path

import pytest

from muster_server import lane as lane_module
from muster_server.errors import Unavailable
from muster_server.lane import Lane, afterwards, leave
from muster_server.store.sql import Sql
from tests.host_server.lanes import LONG_S, Disk, add, run, together
from tests.host_server.lanes import disk as disk
from tests.host_server.lanes import lane as lane


class SlowDisk:
    """An fdatasync that returns when it is let, and remembers of which files."""

    def __init__(self) -> None:
        self.files: list[str] = []
        self.go_on = threading.Event()
        self.error: OSError | None = None

    def fdatasync(self, file: int) -> None:
        self.files.append(Path(f"/proc/self/fd/{file}").readlink().name)
        assert self.go_on.wait(LONG_S)
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


def test_disk_that_is_quick_is_waited_for_too(
    disk: Disk, lane: Lane, slow: SlowDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane_module, "_QUICK_S", LONG_S)  # the lane itself waits for this one
    database = disk.database("config")
    slow.go_on.set()
    assert run(lane.run(add, database, 1)) == 1
    assert slow.files == ["config.sqlite-wal"]
    slow.error = OSError(5, "Input/output error")
    with pytest.raises(Unavailable):
        run(lane.run(add, database, 2))


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


def test_what_may_be_taken_back_waits_in_memory(disk: Disk, lane: Lane) -> None:
    database = disk.database("config")
    with database.transaction() as connection:
        Sql(connection).run_many("INSERT INTO press VALUES (?)", ((n,) for n in range(40_000)))

    def work() -> list[Path]:
        with database.transaction() as connection:
            Sql(connection).run("DELETE FROM press WHERE id > 0")
            opened = Path("/proc/self/fd").iterdir()
            return [place for file in opened if (place := _behind(file)).match("*etilqs_*")]

    assert run(together(lane, [work])) == [[]]
    assert disk.kept("config") == [0]


def _behind(file: Path) -> Path:
    try:
        return file.readlink()
    except FileNotFoundError:  # that of the look itself
        return file


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


def test_lane_looks_and_writes_with_one_connection_whose_pages_stay_at_hand(
    disk: Disk, lane: Lane
) -> None:
    database = disk.database("config")

    def look() -> list[int]:
        with database.reading() as connection:
            return [row[0] for row in Sql(connection).rows("SELECT id FROM press")]

    for n in (1, 2, 3):
        run(lane.run(add, database, n))
        assert run(lane.run(look))[-1] == n
    assert database.connections_made == 0  # besides the one that has made the table


def test_who_writes_while_he_reads_has_two_connections_and_one_is_kept(
    disk: Disk, lane: Lane
) -> None:
    database = disk.database("config")

    def write_while_reading() -> list[int]:
        with database.reading() as connection:
            before = Sql(connection).rows("SELECT id FROM press")
            add(database, 7)
            # He who reads sees what there was when he began.
            assert len(Sql(connection).rows("SELECT id FROM press")) == len(before)
        return disk.kept("config")

    assert run(lane.run(write_while_reading)) == []
    assert disk.kept("config") == [7]
    assert len(database._unsynced._kept) == 1
