# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The portal's streams: a document again whenever it has changed (server-sent events)."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from typing import Any

from fastapi import FastAPI, Header
from fastapi.responses import Response, StreamingResponse

from muster_server.api.description import Description
from muster_server.document import compact_json
from muster_server.errors import HostError, NotFound, Unavailable
from muster_server.portal.access import Owner
from muster_server.portal.service import Portal
from muster_server.threads import Threads

EVENTS = "text/event-stream"
_LOOK_S = 1.0
_SIGN_OF_LIFE_S = 15.0
# Whoever follows longer connects again: so nothing is left open for ever.
_LONGEST_S = 600.0
_AT_ONCE = 32
_RETRY_S = 5
# A cache or proxy that gathers would hold events back.
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

Ask = Callable[[], dict[str, Any]]


class Streams:
    """Follows documents for as many clients as there are places; ends when the server does."""

    def __init__(self, threads: Threads) -> None:
        self._threads = threads
        self.stopping = asyncio.Event()
        self._open = 0

    async def follow(self, ask: Ask, known: str | None) -> Response:
        """A stream of what `ask` answers; `known` is the id of what the client has already.

        Unavailable if there is no place, and whatever `ask` raises at first.
        """
        if self._open >= _AT_ONCE:
            raise Unavailable("too many clients follow something already", retry_s=_RETRY_S)
        first = await self._threads.run(ask)  # an error now is the answer
        return StreamingResponse(self._events(ask, first, known), 200, _HEADERS, EVENTS)

    async def _events(
        self, ask: Ask, first: dict[str, Any], known: str | None
    ) -> AsyncIterator[str]:
        loop = asyncio.get_running_loop()
        end, said_at = loop.time() + _LONGEST_S, loop.time()
        document: dict[str, Any] | None = first
        self._open += 1
        try:
            yield f"retry: {_RETRY_S * 1000}\n\n"
            while loop.time() < end and not self.stopping.is_set():
                text = compact_json(document) if document is not None else ""
                identity = hashlib.sha256(text.encode()).hexdigest()[:16]
                if text and identity != known:
                    known, said_at = identity, loop.time()
                    yield f"id: {identity}\nevent: change\ndata: {text}\n\n"
                elif loop.time() - said_at >= _SIGN_OF_LIFE_S:
                    said_at = loop.time()
                    yield ": still here\n\n"
                await self._pause()
                try:
                    document = await self._again(ask)
                except NotFound:
                    return  # whoever asks again is told so
        finally:
            self._open -= 1

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(_LOOK_S):
                await self.stopping.wait()
        except TimeoutError:
            pass

    async def _again(self, ask: Ask) -> dict[str, Any] | None:
        """Ask once more; None if it cannot be asked at the moment. NotFound if it is gone."""
        try:
            return await self._threads.run(ask)
        except NotFound:
            raise
        except HostError:
            return None


def add_streams(
    app: FastAPI,
    portal: Portal,
    streams: Streams,
    guard: list[Any],
    described: Description,
) -> None:
    """The routes, for holders of the token that `guard` asks for."""

    @app.get("/v1/devices/{device_id}/stream", dependencies=guard, **described.of(kind=EVENTS))
    async def follow_device(
        device_id: str, owner: Owner, last_event_id: str | None = Header(default=None)
    ) -> Response:
        """The device, as it is shown otherwise, again and again as it changes."""
        return await streams.follow(lambda: portal.device(device_id, owner), last_event_id)
