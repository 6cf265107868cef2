# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Polling channels: what waits for AEs that nobody can call (TS-0001 9.6.21, 10.2.5.13).

It waits in the database, so it may be fetched from any process. A request that was fetched is
fetched again after a minute, unless it was answered meanwhile. Of several that poll one channel
the newest is told: the others have most likely been given up.
"""

import asyncio
import json
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from muster_server.platform_server.calling import EVERYTHING
from muster_server.platform_server.notifying import content_of
from muster_server.store.platform import PlatformStore
from muster_server.store.platform_outbox import CHANNEL, Notice
from muster_server.threads import Threads

LONGEST_POLL_S = 60.0
_AGAIN_S = 60.0
_LOOK_S = 12.0  # for what another process has put there without being heard
_NOTIFY = 5  # the operation (TS-0004 6.3.4.2.5)
_POLLED = "poll:"  # the beginning of a word that tells of a newer poll


@dataclass
class _Poll:
    """One that waits in this process."""

    # Sorts by when it came: which is the newest, all processes agree.
    id: str = field(default_factory=lambda: f"{time.time_ns():020d}-{secrets.token_hex(4)}")
    news: asyncio.Event = field(default_factory=asyncio.Event)
    is_over: bool = False


class Channels:
    """The channels of all AEs; used in the event loop only."""

    def __init__(
        self,
        store: PlatformStore,
        cse_id: str,
        clock: Callable[[], float],
        threads: Threads,
    ) -> None:
        self._store = store
        self._cse_id = cse_id
        self._clock = clock
        self._threads = threads
        self._polls: dict[str, _Poll] = {}
        # Tells all processes; set by whoever knows how.
        self.tell: Callable[[Iterable[str]], None] = self.hear

    def hear(self, words: Iterable[str]) -> None:
        """Wake whom these words mean: targets with something new, and polls that have come."""
        for word in words:
            if word == EVERYTHING:
                for poll in self._polls.values():
                    poll.news.set()
            elif word.startswith(_POLLED):
                _, id_, entity = word.split(":", 2)
                self._end(entity, id_)
            elif word.startswith(CHANNEL) and (there := self._polls.get(word[len(CHANNEL) :])):
                there.news.set()

    async def fetch(
        self, entity: str, wait_s: float, gone: Callable[[], Awaitable[object]]
    ) -> dict[str, Any] | None:
        """The oldest request for an AE, as soon as there is one; None if none comes in time, if
        another poll comes, or as soon as `gone` returns: then nobody waits for it any more.
        Unavailable if the database does not answer.
        """
        own = _Poll()
        self.tell([f"{_POLLED}{own.id}:{entity}"])  # who has polled before gives up
        self._polls[entity] = own
        deadline = time.monotonic() + min(wait_s, LONGEST_POLL_S)
        leaving: asyncio.Future[Any] | None = None  # who has just asked is told what is there
        try:
            while not own.is_over:
                own.news.clear()
                found = await self._threads.run(self._fetched, entity)
                has_left = leaving is not None and leaving.done()
                if found is not None and not own.is_over and not has_left:
                    return self._shown(entity, *found)
                if found is not None:
                    await self._threads.run(self._put_back, entity, found[0])
                leaving = leaving or asyncio.ensure_future(gone())
                if not await self._came(own, leaving, deadline):
                    return None
            return None
        finally:
            if leaving is not None:
                leaving.cancel()
            if self._polls.get(entity) is own:
                del self._polls[entity]

    async def answered(self, entity: str, request_id: str) -> bool:
        """Forget a request that was carried out; False if there is none with this id. Unavailable
        if the database does not answer.
        """
        return await self._threads.run(self._answered, entity, request_id)

    def _end(self, entity: str, newer: str) -> None:
        poll = self._polls.get(entity)
        if poll is not None and poll.id < newer:
            poll.is_over = True
            poll.news.set()

    async def _came(self, own: _Poll, leaving: asyncio.Future[Any], deadline: float) -> bool:
        """Tell whether to look again before the deadline, and for somebody."""
        while not own.is_over and not leaving.done():
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                return False
            is_shared = self._store.processes.are_several
            if await _first_of(own.news, leaving, min(left_s, _LOOK_S) if is_shared else left_s):
                return True
            if is_shared and not leaving.done() and time.monotonic() < deadline:
                return True
        return False

    def _fetched(self, entity: str) -> tuple[str, Sequence[Notice]] | None:
        target, now = CHANNEL + entity, self._clock()
        with self._store.reading() as rows:
            if not rows.outbox.has_request(target, now - _AGAIN_S):
                return None
        with self._store.transaction({target}) as rows:
            return rows.outbox.fetch(target, now - _AGAIN_S, now)

    def _put_back(self, entity: str, request_id: str) -> None:
        target = CHANNEL + entity
        with self._store.transaction({target}) as rows:
            rows.outbox.note_fetched(target, request_id, None)

    def _answered(self, entity: str, request_id: str) -> bool:
        target = CHANNEL + entity
        with self._store.transaction({target}) as rows:
            return rows.outbox.answered(target, request_id)

    def _shown(self, entity: str, request_id: str, notices: Sequence[Notice]) -> dict[str, Any]:
        about = {"op": _NOTIFY, "to": entity, "fr": f"/{self._cse_id}", "rqi": request_id}
        return {"m2m:rqp": {**about, "rvi": "4", "pc": json.loads(content_of(notices))}}


async def _first_of(news: asyncio.Event, leaving: asyncio.Future[Any], longest_s: float) -> bool:
    """Tell whether there are news within that time, and somebody to tell."""
    coming: asyncio.Future[Any] = asyncio.ensure_future(news.wait())
    try:
        first = asyncio.FIRST_COMPLETED
        done, _ = await asyncio.wait({coming, leaving}, timeout=longest_s, return_when=first)
        return coming in done and leaving not in done
    finally:
        coming.cancel()
