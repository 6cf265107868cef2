# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Calls a server's app without a socket, with whatever bytes it likes."""

import asyncio
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Self

from starlette.types import ASGIApp, Message


@dataclass(frozen=True)
class Request:
    """One HTTP request, as it is kept when something was found."""

    method: str
    path: str  # as it stands in the request line, with the query
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def kept(self) -> dict[str, Any]:
        return self.__dict__ | {"body": self.body.decode("latin-1")}

    @classmethod
    def of(cls, kept: dict[str, Any]) -> Self:
        return cls(**(kept | {"body": kept["body"].encode("latin-1")}))


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


class App:
    """An app that has been started, as a server would do it."""

    def __init__(self, app: ASGIApp, runner: asyncio.Runner) -> None:
        self.app = app
        self._runner = runner

    def ask(self, request: Request) -> Answer:
        return self._runner.run(_ask(self.app, request))


@contextlib.contextmanager
def running(app: Any) -> Iterator[App]:
    with asyncio.Runner() as runner:
        lifespan = app.router.lifespan_context(app)
        runner.run(lifespan.__aenter__())
        try:
            yield App(app, runner)
        finally:
            runner.run(lifespan.__aexit__(None, None, None))


async def _ask(app: ASGIApp, request: Request) -> Answer:
    raw_path, _, query = request.path.encode("utf-8", "replace").partition(b"?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": _unquoted(raw_path),
        "raw_path": raw_path,
        "query_string": query,
        "headers": [
            (name.lower().encode("latin-1", "replace"), value.encode("latin-1", "replace"))
            for name, value in request.headers.items()
        ],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8421),
    }
    body = request.body
    half = len(body) // 2
    incoming: list[Message] = [
        {"type": "http.request", "body": body[:half], "more_body": True},
        {"type": "http.request", "body": body[half:], "more_body": False},
    ]
    sent: list[Message] = []

    async def receive() -> Message:
        return incoming.pop(0) if incoming else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    headers = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], headers, b"".join(m.get("body", b"") for m in sent[1:]))


def _unquoted(raw: bytes) -> str:
    """Decode a path as uvicorn does."""
    from urllib.parse import unquote

    return unquote(raw.decode("latin-1"))
