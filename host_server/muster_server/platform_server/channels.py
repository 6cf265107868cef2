# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Polling channels: what waits for AEs that nobody can call (TS-0001 9.6.21, 10.2.5.13).

A request that was fetched is fetched again after a minute, unless it was answered meanwhile. Of
several that poll one channel the newest is told: the others have most likely been given up.
"""

import asyncio
import json
import secrets
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

LONGEST_POLL_S = 60.0
MOST_WAITING = 100  # for one AE
_AGAIN_S = 60.0
_NOTIFY = 5  # the operation (TS-0004 6.3.4.2.5)


@dataclass
class _Request:
    id: str
    seqs: list[int]
    content: str
    fetched_at: float | None = None


@dataclass
class _Channel:
    requests: deque[_Request] = field(default_factory=deque)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    polls: int = 0  # that there have been


class Channels:
    """The queues of all AEs; used in the event loop only."""

    def __init__(self, cse_id: str) -> None:
        self._cse_id = cse_id
        self._channels: dict[str, _Channel] = {}
        self._taken: list[int] = []

    def put(self, entity: str, seqs: list[int], content: str) -> list[int]:
        """Let an AE find this; the numbers of what had to give way to it."""
        channel = self._channels.setdefault(entity, _Channel())
        channel.requests.append(_Request(secrets.token_hex(8), seqs, content))
        channel.news.set()
        if len(channel.requests) > MOST_WAITING:
            return channel.requests.popleft().seqs
        return []

    async def fetch(
        self, entity: str, wait_s: float, gone: Callable[[], Awaitable[object]]
    ) -> dict[str, Any] | None:
        """The oldest request for an AE, as soon as there is one; None if none comes in time, if
        another poll comes, or as soon as `gone` returns: then nobody waits for it any more.
        """
        channel = self._channels.setdefault(entity, _Channel())
        channel.polls += 1
        own = channel.polls
        channel.news.set()  # who has polled before gives up
        deadline = time.monotonic() + min(wait_s, LONGEST_POLL_S)
        leaving: asyncio.Future[Any] = asyncio.ensure_future(gone())
        try:
            while (request := self._next(channel)) is None:
                channel.news.clear()
                if not await _came(channel.news, leaving, deadline) or channel.polls != own:
                    return None
        finally:
            leaving.cancel()
        request.fetched_at = time.monotonic()
        about = {"op": _NOTIFY, "to": entity, "fr": f"/{self._cse_id}", "rqi": request.id}
        return {"m2m:rqp": {**about, "rvi": "4", "pc": json.loads(request.content)}}

    def answered(self, entity: str, request_id: str) -> bool:
        """Forget a request that was carried out; False if there is none with this id."""
        channel = self._channels.get(entity)
        for request in channel.requests if channel else ():
            if secrets.compare_digest(request.id.encode(), request_id.encode()):
                self._taken += request.seqs
                if channel is not None:
                    channel.requests.remove(request)
                return True
        return False

    def taken(self) -> list[int]:
        """The numbers of what was carried out since this was asked last."""
        taken, self._taken = self._taken, []
        return taken

    def _next(self, channel: _Channel) -> _Request | None:
        old = time.monotonic() - _AGAIN_S
        for request in channel.requests:
            if request.fetched_at is None or request.fetched_at < old:
                return request
        return None


async def _came(news: asyncio.Event, leaving: asyncio.Future[Any], deadline: float) -> bool:
    """Tell whether there are news before the deadline, and somebody to tell."""
    coming: asyncio.Future[Any] = asyncio.ensure_future(news.wait())
    try:
        left_s = max(0.0, deadline - time.monotonic())
        first = asyncio.FIRST_COMPLETED
        done, _ = await asyncio.wait({coming, leaving}, timeout=left_s, return_when=first)
        return coming in done and leaving not in done
    finally:
        coming.cancel()
