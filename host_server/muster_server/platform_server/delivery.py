# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Delivery of notifications, in the background: whoever publishes waits for none of it.

One process sends, and the others tell it that there is something; it finds what that is in the
database. When it has gone, the next one sends what it has left. What is fetched from a polling
channel needs nobody to send it (channels.py).

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
from muster_server.platform_server.calling import EVERYTHING
from muster_server.platform_server.notifying import content_of
from muster_server.store.platform import PlatformStore
from muster_server.store.platform_outbox import CHANNEL, Notice

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
_TAKEN_AT_ONCE = 1000
_LOOK_S = 5.0  # for what another process has kept without being heard
_AGAIN_S = 1.0
_TO_BE_SENT = "send"  # the word that tells of something to be sent

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

    def __init__(self, store: PlatformStore, post: Post, first_wait_s: float = 1.0) -> None:
        self._store = store
        self._post = post
        self._first_wait_s = first_wait_s
        self._lanes: dict[str, _Lane] = {}
        self._batches: dict[tuple[str, str], _Batch] = {}
        self._bytes = 0
        self._known: set[int] = set()  # of what others keep: what is here, or done
        self._done: list[int] = []
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sending: asyncio.Task[None] | None = None  # what others keep
        self._news = asyncio.Event()
        self._offers: set[asyncio.Task[None]] = set()
        # Tells all processes; set by whoever knows how.
        self.tell: Callable[[Iterable[str]], None] = self.hear

    def take(self, notices: Iterable[Notice]) -> None:
        """Deliver these, in their order for each target. Returns at once."""
        these = list(notices)
        if these and self._loop is not None:
            with contextlib.suppress(RuntimeError):  # it is ending: they are delivered afterwards
                self._loop.call_soon_threadsafe(self._came, these)

    async def begin(self) -> None:
        """Take notices from now on, and if this process is alone go on with what a former run has
        left; before the first request.
        """
        self._loop = asyncio.get_running_loop()
        if not self._store.processes.are_several:
            self._take(await asyncio.to_thread(self._left))

    def come_first(self, is_first: bool) -> None:
        """Send what all processes keep, or leave that to another one."""
        if not self._store.processes.are_several:
            return
        if is_first:
            self._sending = asyncio.create_task(self._send())
        elif self._sending is not None:
            self._sending.cancel()
            self._sending = None
            self._drop()

    def hear(self, words: Iterable[str]) -> None:
        """Look for what is to be sent, if that is among the words."""
        if not {_TO_BE_SENT, EVERYTHING}.isdisjoint(words):
            self._news.set()

    async def run(self) -> None:
        """Forget what is done, until cancelled; then nothing is under way any more."""
        try:
            while True:
                await asyncio.sleep(_TIDY_S)
                await self._tidy()
        finally:
            if self._sending is not None:
                self._sending.cancel()
            tasks = [*self._drop(), *self._offers]
            for task in self._offers:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            with contextlib.suppress(Unavailable):
                self._forget()

    def _drop(self) -> list[asyncio.Task[None]]:
        """Let go of everything: it is in the database. The tasks that end now."""
        tasks = [lane.task for lane in self._lanes.values() if lane.task is not None]
        for task in tasks:
            task.cancel()
        for batch in self._batches.values():
            batch.timer.cancel()
        self._lanes, self._batches, self._bytes = {}, {}, 0
        self._known = set(self._done)
        return tasks

    def _left(self) -> list[Notice]:
        with self._store.transaction() as rows:
            rows.outbox.trim(MOST_KEPT)
            rows.outbox.begin()
            return rows.outbox.take(MOST_KEPT)

    def _again(self) -> list[Notice]:
        with self._store.transaction() as rows:
            rows.outbox.begin()
            return rows.outbox.take(MOST_KEPT)

    async def _send(self) -> None:
        """Find what all processes keep to be sent, for as long as this one sends."""
        find: Callable[[], list[Notice]] = self._left
        while True:
            self._news.clear()
            try:
                found = await asyncio.to_thread(find)
            except Unavailable:
                # The store has said why. What was taken, perhaps, and never came, comes again.
                find = self._again if find != self._left else find
                await asyncio.sleep(_AGAIN_S)
                continue
            find = self._untaken
            new = [notice for notice in found if notice.seq not in self._known]
            self._known.update(notice.seq for notice in new)
            self._take(new)
            if len(found) < _TAKEN_AT_ONCE:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), _LOOK_S)

    def _untaken(self) -> list[Notice]:
        with self._store.transaction({_TO_BE_SENT}) as rows:
            return rows.outbox.take(_TAKEN_AT_ONCE)

    def _came(self, notices: list[Notice]) -> None:
        """Deliver what a transaction of this process has kept."""
        fetched = [notice.target for notice in notices if notice.is_fetched]
        sent = [notice for notice in notices if not notice.is_fetched]
        if fetched:
            self.tell(fetched)
        if sent and self._store.processes.are_several:
            self.tell([_TO_BE_SENT])
        elif sent:
            self._take(sent)

    async def _tidy(self) -> None:
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
        with self._store.transaction({_TO_BE_SENT}) as rows:
            rows.outbox.remove(done)
        del self._done[: len(done)]
        self._known.difference_update(done)

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
            task = asyncio.get_running_loop().create_task(self._offer(target, _seqs(notices)))
            self._offers.add(task)
            task.add_done_callback(self._offers.discard)
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

    async def _offer(self, target: str, seqs: list[int]) -> None:
        """Let an AE fetch what was collected for it."""
        while True:
            try:
                await asyncio.to_thread(self._offered, target, seqs)
            except Unavailable:
                await asyncio.sleep(_AGAIN_S)  # the store has said why
            else:
                self._known.difference_update(seqs)
                self.tell([target])
                return

    def _offered(self, target: str, seqs: list[int]) -> None:
        with self._store.transaction({target}) as rows:
            rows.outbox.offer(target, seqs)

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
        body = content_of(notices).encode()
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
