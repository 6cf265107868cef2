# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The door to a role of this very process: its app is called, and no socket is between.

What passes the door is what would go over HTTP: method, path, headers with the token, body. So the
roles stay as apart as they are in processes of their own.
"""

import asyncio
import json
import threading
from collections.abc import Mapping
from concurrent.futures import CancelledError
from concurrent.futures import TimeoutError as Late
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from muster_server import request_id
from muster_server.direct import DirectApp
from muster_server.errors import NoAnswer
from muster_server.lane import leave
from muster_server.tokens import TokenSource, token_of


@dataclass(frozen=True)
class Inside:
    """An answer from inside this process."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def ok(self) -> bool:
        """Tell whether it is no refusal."""
        return self.status_code < 400

    def json(self) -> Any:
        """The body as JSON; ValueError if it is none."""
        return json.loads(self.content)


class Door:
    """An app that is served, and may be called by other roles from their threads."""

    def __init__(self, app: ASGIApp, name: str) -> None:
        self._app = app
        self._name = name
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()

    def open(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let others in: the app runs in this loop now."""
        with self._lock:
            self._loop = loop

    def close(self) -> None:
        """Let nobody in any more; who is inside gets his answer."""
        with self._lock:
            self._loop = None

    def ask(
        self,
        method: str,
        path: str,
        token: TokenSource | None,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        read_timeout_s: float,
    ) -> Inside:
        """The answer, whatever its status; NoAnswer if there is none in time.

        Not to be called in the loop's own thread.
        """
        content = b"" if body is None else json.dumps(body, separators=(",", ":")).encode()
        about = {"host": self._name, "content-length": str(len(content))}
        if body is not None:
            about["content-type"] = "application/json"
        along = request_id.headers() | (headers or {})
        about |= {name.lower(): value for name, value in along.items()}
        if token is not None:
            about["authorization"] = f"Bearer {token_of(token)}"
        self._check_runs()
        answer = self._answered_here(method, path, about, content)
        return answer or self._from_loop(_scope(method, path, about), content, read_timeout_s)

    def _answered_here(
        self, method: str, path: str, headers: dict[str, str], content: bytes
    ) -> Inside | None:
        """The answer by the app's direct way: this thread does the work, and takes none of those
        that serve devices there.
        """
        if not isinstance(self._app, DirectApp):
            return None
        place, _, query = path.partition("?")
        response = self._app.answer_here(method, place, query, headers, content)
        if response is None:
            return None
        return Inside(response.status_code, response.headers, bytes(response.body))

    def _check_runs(self) -> None:
        if self._loop is None:
            raise NoAnswer(f"the {self._name} server of this process does not run")

    def _from_loop(self, scope: Scope, content: bytes, read_timeout_s: float) -> Inside:
        leave()
        with self._lock:
            self._check_runs()
            assert self._loop is not None  # noqa: S101 - it was looked at, with the lock
            # The coroutine is made here and not before: else nobody would await it.
            future = asyncio.run_coroutine_threadsafe(
                _Exchange(self._app, content).run(scope), self._loop
            )
        try:
            return future.result(read_timeout_s)
        except (Late, CancelledError):
            future.cancel()
            raise NoAnswer(
                f"the {self._name} server of this process took longer than {read_timeout_s:.0f} s"
            ) from None


def _scope(method: str, path: str, headers: dict[str, str]) -> Scope:
    place, _, query = path.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(place),
        "raw_path": place.encode("ascii"),
        "query_string": query.encode("ascii"),
        "root_path": "",
        "headers": [(n.encode("latin-1"), v.encode("latin-1")) for n, v in headers.items()],
        "client": ("127.0.0.1", 0),
        "server": None,
        "state": {},
    }


class _Exchange:
    """One request and its answer."""

    def __init__(self, app: ASGIApp, content: bytes) -> None:
        self._app = app
        self._content: bytes | None = content
        self._status = 500
        self._headers: Mapping[str, str] = {}
        self._body = bytearray()

    async def run(self, scope: Scope) -> Inside:
        receive: Receive = self._receive
        send: Send = self._send
        await self._app(scope, receive, send)
        return Inside(self._status, self._headers, bytes(self._body))

    async def _receive(self) -> Message:
        if self._content is None:
            return {"type": "http.disconnect"}
        content, self._content = self._content, None
        return {"type": "http.request", "body": content, "more_body": False}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = Headers(raw=list(message.get("headers", ())))
        elif message["type"] == "http.response.body":
            self._body += message.get("body", b"")
