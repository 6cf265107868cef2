# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The short way from a request to the rules, for what a fleet asks most.

A route that is declared to the framework may have a direct way besides, which passes by the
framework's routing, dependencies and middleware: they cost more than most of these answers do.
Both ways end in the same function. The direct one takes what is in order; all else, and everything
while traces are sent, goes the framework's way, which knows how to refuse and how to trace it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, unquote

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from muster_server import request_id
from muster_server.errors import HostError
from muster_server.lane import Lane, Runner
from muster_server.web import body_within, check_bearer, problem, refused

log = logging.getLogger(__name__)

_MOST_FIELDS = 32  # of a query
_SEE_LOG = "see the server's log"

Hashes = Callable[[], frozenset[str]]


class NotDirect(Exception):
    """The request is for the framework's way. Nothing was done yet."""


async def nobody_leaves() -> None:
    """Wait for ever."""
    await asyncio.Event().wait()


async def left(request: Request) -> None:
    """Return when the connection has ended. To be awaited once the body has been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


@dataclass(slots=True)
class Asked:
    """A request. Its repr shows neither headers nor body, which hold secrets. `gone` returns when
    nobody waits for the answer any more.
    """

    method: str
    path: str  # as it was sent, without the query
    query: str
    headers: Mapping[str, str] = field(repr=False)  # names in lower case
    parts: Mapping[str, str]  # of the path, by the names that the route has for them
    client: str  # the address that asks, as the connection or a proxy that is believed tells it
    body: bytes = field(repr=False, default=b"")
    gone: Callable[[], Awaitable[object]] = field(repr=False, default=nobody_leaves)

    def queried(self, *names: str) -> dict[str, str]:
        """Return the query's fields, if it has no others than these.

        Raises NotDirect if it has, or has one twice, or cannot be read.
        """
        try:
            pairs = parse_qsl(self.query, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
        except ValueError:
            raise NotDirect from None
        found = dict(pairs)
        if len(found) < len(pairs) or not found.keys() <= set(names):
            raise NotDirect
        return found


class Way:
    """The direct way of one route. Unless a kind of it says otherwise, its work is done by one
    thread: of its role, of the lane, or of who asks.
    """

    def __init__(
        self,
        do: Callable[[Asked], Response],
        threads: Runner,
        limit_bytes: int,
        accepted_hashes: Hashes | None = None,
    ) -> None:
        """`do` may raise HostError, or NotDirect before it does anything; `limit_bytes` is the
        longest body; `accepted_hashes` are those of the tokens that open the way.
        """
        self._do = do
        self._threads = threads
        self.limit_bytes = limit_bytes
        self.read = body_within(limit_bytes)
        self._accepted_hashes = accepted_hashes

    def admit(self, asked: Asked) -> None:
        """Look at all but the body, which has not come. HostError or NotDirect ends it here."""
        if self._accepted_hashes is not None:
            check_bearer(asked.headers.get("authorization", ""), self._accepted_hashes)

    def work(self, asked: Asked) -> Callable[[], Response] | None:
        """Return what the lane does to answer a request that is there whole; None if this takes
        more, or if there is no lane. Raises HostError or NotDirect, as what is returned does.
        """
        return partial(self._do, asked) if self.lane is not None else None

    @property
    def lane(self) -> Lane | None:
        """The lane in which its work is done; None: in threads."""
        return self._threads if isinstance(self._threads, Lane) else None

    async def ripe(self, error: Exception) -> None:
        """Return when this error of its work may be told."""

    def sent(self) -> None:
        """The answer to its work has been sent."""

    async def answer(self, asked: Asked) -> Response:
        """Answer in the event loop. Raises HostError, or NotDirect before anything was done."""
        return await self._threads.run(self._do, asked)

    def answer_here(self, asked: Asked) -> Response:
        """Answer in this very thread, to another role of the process; with the same errors."""
        return self._do(asked)

    def refused(self, asked: Asked, error: HostError) -> Response:
        """Return the answer that says why there is no other."""
        return refused(asked.method, asked.path, error)


class DirectApp(FastAPI):
    """An app some of whose routes have a direct way."""

    def __init__(self, **named: Any) -> None:
        super().__init__(**named)
        self._ways: dict[str, list[tuple[Route, Way, list[Route]]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def direct(self, method: str, path: str, way: Way) -> None:
        """Give the route that was declared with this method and path a direct way, too."""
        before: list[Route] = []
        for route in self.routes:
            if not isinstance(route, Route) or method not in (route.methods or ()):
                continue
            if route.path == path:
                self._ways.setdefault(method, []).append((route, way, before))
                return
            before.append(route)
        raise ValueError(f"no route is declared as {method} {path}")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, by the direct way if there is one."""
        found = self._found(scope["method"], scope["path"]) if scope["type"] == "http" else None
        asked = None if found is None else _asked(scope, found[2])
        if found is None or asked is None:
            await super().__call__(scope, receive, send)
            return
        route, way, parts = found
        reading = _Reading(receive)
        try:
            response = await _answered(way, asked, Request(scope, reading.receive))
        except NotDirect:
            await super().__call__(scope, reading.again, send)
            return
        scope["route"], scope["path_params"] = route, parts
        await _send(response, send)

    def in_lane(self, scope: Scope, body: bytes, told: Callable[[Response | None], None]) -> bool:
        """Have the lane answer a request that is there whole; whether this is one for it.

        The answer is told in this event loop: None if the request is for the framework after all.
        """
        found = self._found(scope["method"], scope["path"])
        asked = None if found is None else _asked(scope, found[2])
        if found is None or asked is None or len(body) > found[1].limit_bytes:
            return False
        route, way, parts = found
        asked.body = body
        try:
            way.admit(asked)
            work = way.work(asked)
        except NotDirect:
            return False
        except HostError as error:
            scope["route"], scope["path_params"] = route, parts
            told(way.refused(asked, error))
            return True
        if work is None or way.lane is None:
            return False

        def over(response: Response | None, error: Exception | None) -> None:
            if isinstance(error, NotDirect):
                told(None)
                return
            scope["route"], scope["path_params"] = route, parts
            if error is not None:
                self._run(_told_when_ripe(way, asked, error, told))
                return
            told(response)
            way.sent()

        way.lane.put(partial(copy_context().run, work), over)
        return True

    def answer_here(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> Response | None:
        """Answer another role of this process, in its thread; None if there is no direct way."""
        found = self._found(method, unquote(path))
        if found is None:
            return None
        _, way, parts = found
        asked = Asked(method, path, query, headers, parts, "127.0.0.1")
        try:
            way.admit(asked)
            asked.body = body
            return way.answer_here(asked)
        except NotDirect:
            return None
        except Exception as error:  # noqa: BLE001 - a defect is a 500 for one role, no end of all
            return _refused(way, asked, error)

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _found(self, method: str, path: str) -> tuple[Route, Way, dict[str, str]] | None:
        if request_id.is_accompanied():
            return None
        for route, way, before in self._ways.get(method, ()):
            fits = route.path_regex.match(path)
            if fits is not None:
                if any(other.path_regex.match(path) for other in before):
                    return None
                return route, way, fits.groupdict()
        return None


async def _told_when_ripe(
    way: Way, asked: Asked, error: Exception, told: Callable[[Response | None], None]
) -> None:
    await way.ripe(error)
    told(_refused(way, asked, error))


def _asked(scope: Scope, parts: Mapping[str, str]) -> Asked | None:
    """The request, without its body; None if a header is there twice."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    if len(headers) < len(scope["headers"]):
        return None
    return Asked(
        scope["method"],
        scope.get("raw_path", scope["path"].encode()).decode("latin-1"),
        scope["query_string"].decode("latin-1"),
        headers,
        parts,
        scope["client"][0] if scope["client"] else "",
    )


class _Reading:
    """A body that is read once, and may be read again by the framework."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._seen: list[Message] = []

    async def receive(self) -> Message:
        message = await self._receive()
        self._seen.append(message)
        return message

    async def again(self) -> Message:
        return self._seen.pop(0) if self._seen else await self._receive()


async def _answered(way: Way, asked: Asked, request: Request) -> Response:
    try:
        way.admit(asked)
        asked.body = await way.read(request)
        asked.gone = partial(left, request)
        return await way.answer(asked)
    except NotDirect:
        raise
    except Exception as error:  # noqa: BLE001 - the last catch-all, as the framework's way has one
        return _refused(way, asked, error)


def _refused(way: Way, asked: Asked, error: Exception) -> Response:
    if isinstance(error, HostError):
        return way.refused(asked, error)
    log.error("%s %s failed", asked.method, asked.path, exc_info=error)
    return problem(HostError(_SEE_LOG))


async def _send(response: Response, send: Send) -> None:
    start = {"status": response.status_code, "headers": response.raw_headers}
    await send({"type": "http.response.start", **start})
    await send({"type": "http.response.body", "body": response.body})
    if response.background is not None:
        await response.background()
