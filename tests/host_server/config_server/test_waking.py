# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does a process hear what another one cannot do itself, also after the database was away?"""

import asyncio
from collections.abc import Iterator

import pytest

from muster_server.config_server import jobs as jobs_module
from muster_server.config_server.jobs import Jobs
from muster_server.config_server.waking import Waking
from muster_server.errors import Unavailable
from muster_server.store.config import ConfigStore
from muster_server.store.engine import open_engine
from muster_server.store.secrets import SecretBox
from tests.host_server.config_server.field import Field, open_field
from tests.postgres import Postgres

_PATIENCE_S = 60


@pytest.fixture
def url(postgres: Postgres) -> str:
    return postgres.emptied("config")


@pytest.fixture
def place(url: str) -> Iterator[Field]:
    with open_field(url) as opened:
        yield opened


@pytest.fixture
def other(url: str) -> Iterator[ConfigStore]:
    """Another process's store."""
    engine = open_engine(url)
    yield ConfigStore(engine, SecretBox(bytes(32)))
    engine.dispose()


class Sleeper:
    """A process that does nothing but wait to be woken."""

    def __init__(self, place: Field) -> None:
        self.woken = asyncio.Event()
        self.task = asyncio.create_task(Waking(place.store, self._wake).run())

    async def _wake(self) -> bool:
        self.woken.set()
        return True

    async def wakes(self) -> None:
        async with asyncio.timeout(_PATIENCE_S):
            await self.woken.wait()
        self.woken.clear()

    async def end(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


def test_who_waits_is_woken_and_again_after_the_database_was_away(
    place: Field, other: ConfigStore, postgres: Postgres
) -> None:
    async def story() -> None:
        sleeper = Sleeper(place)
        try:
            await sleeper.wakes()  # at its start, for what was said before
            other.call_others()
            await sleeper.wakes()
            await asyncio.to_thread(postgres.restart)
            await sleeper.wakes()  # for what was said meanwhile
            other.call_others()
            await sleeper.wakes()
        finally:
            await sleeper.end()

    asyncio.run(story())


def test_who_cannot_do_its_jobs_says_so(
    place: Field, other: ConfigStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs_module, "_PATIENCE_S", 0.0)
    ear = place.store.ear()
    assert ear is not None
    try:
        assert ear.heard() == 0
        with place.store.alone("jobs") as is_mine:
            assert is_mine
            Jobs(other, place.platforms, place.clock, place.stopping).run_due()
        asyncio.run(_readable(ear.fileno()))
        assert ear.heard() == 1
    finally:
        ear.close()


async def _readable(descriptor: int) -> None:
    said, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_reader(descriptor, said.set)
    async with asyncio.timeout(_PATIENCE_S):
        await said.wait()
    loop.remove_reader(descriptor)


def test_who_is_told_tells_nobody_else(place: Field, other: ConfigStore) -> None:
    """Otherwise those who wait would wake each other for as long as one is at it."""
    ear = place.store.ear()
    assert ear is not None
    try:
        with place.store.alone("jobs") as is_mine:
            assert is_mine
            assert Jobs(other, place.platforms, place.clock, place.stopping).run_told()
        other.call_others()  # what is heard now is this one
        asyncio.run(_readable(ear.fileno()))
        assert ear.heard() == 1
    finally:
        ear.close()


def test_what_is_said_meanwhile_does_not_keep_the_loop_busy(
    place: Field, other: ConfigStore
) -> None:
    turns = 0

    async def story() -> None:
        nonlocal turns
        loop, woken = asyncio.get_running_loop(), asyncio.Event()
        is_first = True

        async def wake() -> bool:
            nonlocal turns, is_first
            if is_first:
                is_first = False
                return True
            await asyncio.to_thread(other.call_others)
            looks = loop._selector.select  # type: ignore[attr-defined]

            def counted(timeout: float | None) -> object:
                nonlocal turns
                turns += 1
                return looks(timeout)

            loop._selector.select = counted  # type: ignore[attr-defined]
            await asyncio.sleep(0.3)
            loop._selector.select = looks  # type: ignore[attr-defined]
            woken.set()
            return True

        task = asyncio.create_task(Waking(place.store, wake).run())
        try:
            async with asyncio.timeout(_PATIENCE_S):
                while not woken.is_set():
                    await asyncio.to_thread(other.call_others)
                    await asyncio.sleep(0.5)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(story())
    assert turns < 50  # it waits; otherwise there are thousands


def test_ear_that_has_lost_its_connection_says_so(place: Field, postgres: Postgres) -> None:
    ear = place.store.ear()
    assert ear is not None
    postgres.restart()
    with pytest.raises(Unavailable):
        for _ in range(10):  # what the server said at its end comes before
            asyncio.run(_readable(ear.fileno()))
            ear.heard()
    ear.close()


def test_who_does_jobs_goes_on_with_those_that_came_meanwhile(
    place: Field, other: ConfigStore
) -> None:
    done: list[str] = []

    def describe(originator: str, device_id: str, facts: dict[str, object]) -> None:
        done.append(device_id)
        if len(done) == 1:  # another process has one more, and says so
            add(other, "PRESS-5")
            place.store.note_jobs()

    def add(store: ConfigStore, device_id: str) -> None:
        with store.transaction() as records:
            about = {"url": place.platforms.url, "originator": "C1", "facts": {}}
            records.add_job("describe", place.clock(), device_id=device_id, **about)

    place.platform.describe = describe  # type: ignore[method-assign]
    add(place.store, "PRESS-4")
    place.jobs.run_due()
    assert done == ["PRESS-4", "PRESS-5"]


def test_on_sqlite_there_is_nobody_to_hear() -> None:
    with open_field() as alone:
        assert alone.store.ear() is None
        alone.store.call_others()
        asyncio.run(Waking(alone.store, _never).run())


async def _never() -> bool:
    raise AssertionError("woken by nobody")
