# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Delivery of notifications, in the background: whoever publishes waits for none of it.

Each target has a lane of its own, in which one is under way at a time, in the order of events. A
target that fails is tried again after 1, 2, 4 … seconds; after eight failures all that waits for
it is given up, and for ten minutes everything that comes. Bounded are notices in a lane, lanes,
what waits in all, and what is under way at once.
"""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from muster_server.errors import Unavailable
from muster_server.outgoing import NotDelivered
from muster_server.platform_server.channels import Channels
from muster_server.platform_server.notifying import CHANNEL
from muster_server.store.platform import PlatformStore
from muster_server.store.platform_outbox import RESULT, Notice

log = logging.getLogger(__name__)

MOST_IN_A_LANE = 10_000
MOST_LANES = 10_000
MOST_BYTES = 64 * 1024 * 1024  # of all that waits
MOST_KEPT = 10_000  # over a restart
_FORGOTTEN_AT_ONCE = 1000
_AT_ONCE = 64
_TRIES = 8
_REST_S = 600.0
_TIDY_S = 0.2

Post = Callable[[str, bytes], Awaitable[None]]  # raises NotDelivered


@dataclass
class _Lane:
    waiting: deque[list[Notice]] = field(default_factory=deque)  # each is sent as one
    task: asyncio.Task[None] | None = None
    failures: int = 0
    rests_until: float = 0.0


@dataclass
class _Batch:
    notices: list[Notice]
    timer: asyncio.TimerHandle


class Delivery:
    """Takes notices of committed transactions, from any thread, once it has begun."""

    def __init__(
        self,
        store: PlatformStore,
        post: Post,
        channels: Channels,
        first_wait_s: float = 1.0,
    ) -> None:
        self._store = store
        self._post = post
        self._channels = channels
        self._first_wait_s = first_wait_s
        self._lanes: dict[str, _Lane] = {}
        self._batches: dict[tuple[str, str], _Batch] = {}
        self._bytes = 0
        self._done: list[int] = []
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._loop: asyncio.AbstractEventLoop | None = None

    def take(self, notices: Iterable[Notice]) -> None:
        """Deliver these, in their order for each target. Returns at once."""
        these = list(notices)
        if these and self._loop is not None:
            with contextlib.suppress(RuntimeError):  # it is ending: they are delivered afterwards
                self._loop.call_soon_threadsafe(self._take, these)

    async def begin(self) -> None:
        """Go on with what a former run has left; before the first request."""
        self._loop = asyncio.get_running_loop()
        self._take(await asyncio.to_thread(self._left))

    async def run(self) -> None:
        """Forget what is done, until cancelled; then nothing is under way any more."""
        try:
            while True:
                await asyncio.sleep(_TIDY_S)
                await self._tidy()
        finally:
            tasks = [lane.task for lane in self._lanes.values() if lane.task is not None]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for batch in self._batches.values():
                batch.timer.cancel()
            with contextlib.suppress(Unavailable):
                self._forget()

    def _left(self) -> list[Notice]:
        with self._store.transaction() as rows:
            rows.outbox.remove_all_but(MOST_KEPT)
            return rows.outbox.oldest(MOST_KEPT)

    async def _tidy(self) -> None:
        self._done += self._channels.taken()
        while self._done:
            try:
                await asyncio.to_thread(self._forget)
            except Unavailable:
                log.warning("forgetting notifications is put off")  # the store has said why
                break
        now = time.monotonic()
        for target, lane in list(self._lanes.items()):
            if lane.task is None and not lane.waiting and lane.rests_until <= now:
                del self._lanes[target]

    def _forget(self) -> None:
        done = self._done[:_FORGOTTEN_AT_ONCE]
        with self._store.transaction() as rows:
            rows.outbox.remove(done)
        del self._done[: len(done)]

    def _take(self, notices: list[Notice]) -> None:
        for notice in notices:
            if notice.batch > 1:
                self._collect(notice)
            else:
                self._queue(notice.target, [notice])

    def _collect(self, notice: Notice) -> None:
        key = notice.subscription, notice.target
        batch = self._batches.get(key)
        if batch is None and self._loop is not None:
            timer = self._loop.call_later(notice.batch_s, self._close, key)
            batch = self._batches[key] = _Batch([], timer)
        if batch is not None:
            batch.notices.append(notice)
            if len(batch.notices) >= notice.batch:
                self._close(key)

    def _close(self, key: tuple[str, str]) -> None:
        batch = self._batches.pop(key, None)
        if batch is not None:
            batch.timer.cancel()
            self._queue(key[1], batch.notices)

    def _queue(self, target: str, notices: list[Notice]) -> None:
        if target.startswith(CHANNEL):
            given_up = self._channels.put(
                target.removeprefix(CHANNEL), _seqs(notices), _sgn(notices)
            )
            self._done += given_up
            return
        lane = self._lanes.get(target)
        if lane is None and len(self._lanes) >= MOST_LANES:
            self._done += _seqs(notices)
            return
        if lane is None:
            lane = self._lanes[target] = _Lane()
        if lane.rests_until > time.monotonic():
            self._done += _seqs(notices)  # nobody has been there for minutes
            return
        lane.waiting.append(notices)
        self._bytes += _size(notices)
        while len(lane.waiting) > MOST_IN_A_LANE or (lane.waiting and self._bytes > MOST_BYTES):
            self._done += _seqs(self._next(lane))  # the oldest gives way
        if lane.task is None:
            lane.task = asyncio.get_running_loop().create_task(self._drive(target, lane))

    async def _drive(self, target: str, lane: _Lane) -> None:
        try:
            while lane.waiting:
                notices = self._next(lane)
                if not await self._sent(target, lane, notices):
                    self._give_up(target, lane)
                self._done += _seqs(notices)
        finally:
            lane.task = None

    async def _sent(self, target: str, lane: _Lane, notices: list[Notice]) -> bool:
        body = _sgn(notices).encode()
        while lane.failures < _TRIES:
            try:
                async with self._slots:
                    await self._post(target, body)
            except NotDelivered as error:
                lane.failures += 1
                log.info("a notification was not taken (%s), try %d", error, lane.failures)
                await asyncio.sleep(self._first_wait_s * 2 ** (lane.failures - 1))
            else:
                lane.failures = 0
                return True
        return False

    def _next(self, lane: _Lane) -> list[Notice]:
        notices = lane.waiting.popleft()
        self._bytes -= _size(notices)
        return notices

    def _give_up(self, target: str, lane: _Lane) -> None:
        log.warning("notifications are given up: nobody takes them (%d)", len(lane.waiting) + 1)
        while lane.waiting:
            self._done += _seqs(self._next(lane))
        lane.failures = 0
        lane.rests_until = time.monotonic() + _REST_S


def _size(notices: list[Notice]) -> int:
    return sum(len(notice.body) for notice in notices)


def _seqs(notices: list[Notice]) -> list[int]:
    return [notice.seq for notice in notices]


def _sgn(notices: list[Notice]) -> str:
    """The body of what is sent: one notification, or an aggregated one. Notices hold compact JSON,
    which is not read again for that.
    """
    first = notices[0]
    if first.subscription == RESULT:
        return f'{{"m2m:rsp":{first.body}}}'
    if first.batch > 1:
        return f'{{"m2m:agn":{{"m2m:sgn":[{",".join(notice.body for notice in notices)}]}}}}'
    return f'{{"m2m:sgn":{first.body}}}'
