# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""When are jobs begun that a request has left?"""

import asyncio
import time
from collections.abc import Awaitable, Callable

from muster_server.config_server.later import Later
from muster_server.threads import Threads

_PATIENCE_S = 20.0


class Counted:
    """Jobs that are only counted."""

    def __init__(self) -> None:
        self.has_news = self.has_ends = False
        self.has_more = False
        self.runs: list[float] = []
        self.more = 0

    def run_due(self) -> None:
        self.runs.append(time.monotonic())
        self.more -= 1
        self.has_more = self.more > 0
        self.has_news, self.has_ends = self.has_more, False


def run(
    story: Callable[[Later, Counted], Awaitable[None]], soon_s: float, *, stops: bool = False
) -> Counted:
    jobs = Counted()

    async def whole() -> None:
        later = Later(jobs, Threads(1), lambda: stops, soon_s)  # type: ignore[arg-type]
        async with asyncio.timeout(_PATIENCE_S):
            await story(later, jobs)
        await later.close()

    asyncio.run(whole())
    return jobs


async def _until(is_so: Callable[[], bool]) -> None:
    while not is_so():
        await asyncio.sleep(0.001)


def test_what_ends_an_account_is_done_at_once() -> None:
    async def story(later: Later, jobs: Counted) -> None:
        jobs.has_news = jobs.has_ends = True
        await later.begin()
        assert len(jobs.runs) == 1

    run(story, 3600.0)


def test_descriptions_wait_for_each_other_and_for_nobody_who_asks() -> None:
    async def story(later: Later, jobs: Counted) -> None:
        for _ in range(5):
            jobs.has_news = True
            await later.begin()  # returns at once
        assert jobs.runs == []
        await _until(lambda: len(jobs.runs) == 1)
        jobs.has_news = True  # comes while the former is still under way
        await later.begin()
        await _until(lambda: len(jobs.runs) == 2)

    assert len(run(story, 0.05).runs) == 2


def test_more_than_is_done_at_once_does_not_wait() -> None:
    async def story(later: Later, jobs: Counted) -> None:
        jobs.has_news, jobs.more = True, 4
        await later.begin()
        await _until(lambda: len(jobs.runs) == 4)

    jobs = run(story, 1.0)
    assert jobs.runs[-1] - jobs.runs[0] < 1.0  # where three pauses would be three seconds


def test_nothing_is_begun_without_news_or_while_the_server_stops() -> None:
    async def idle(later: Later, jobs: Counted) -> None:
        await later.begin()

    async def stopped(later: Later, jobs: Counted) -> None:
        jobs.has_news = True
        await later.begin()
        await asyncio.sleep(0.05)

    assert run(idle, 0.0).runs == []
    assert run(stopped, 0.0, stops=True).runs == []
