# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A platform in this process, called through ASGI without a socket, and its clock."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message

from muster_server.expiry_clock import ExpiryClock
from muster_server.platform_server.app import create_app
from muster_server.platform_server.bounds import Bounds
from muster_server.store.engine import open_engine
from muster_server.store.migrations import migrate
from muster_server.store.platform import HEAD, PlatformStore
from muster_server.tokens import token_hash
from tests.host_server.platform_server.behaviour import Answer

ADMIN_TOKEN = "mst_" + "a" * 43


class Clock:
    """Unix time that moves when it is told to; a little at each look, so that times differ."""

    def __init__(self, now_s: float = 1_795_000_000.0) -> None:
        self.now_s = now_s

    def __call__(self) -> float:
        self.now_s += 0.001
        return self.now_s


@dataclass
class Client:
    """Sends requests as any originator, with the tokens that its accounts were given."""

    app: ASGIApp
    runner: asyncio.Runner
    clock: Clock
    tokens: dict[str, str] = field(repr=False)

    def account(self, originator: str) -> str:
        """An account; returns its token and remembers it for `ask`."""
        answer = self.http("PUT", f"/accounts/{originator}", token=ADMIN_TOKEN, body=b"{}")
        assert answer.status == 201
        self.tokens[originator] = answer.body["token"]
        return str(answer.body["token"])

    def ask(
        self,
        method: str,
        to: str,
        originator: str = "CAdmin",
        ty: int | None = None,
        document: Any = None,
        **more: Any,
    ) -> Answer:
        """One oneM2M request; `more` may hold token and headers (None takes one away)."""
        headers: dict[str, str | None] = {
            "X-M2M-Origin": originator,
            "X-M2M-RI": "r1",
            "X-M2M-RVI": "4",
        }
        if document is not None:
            headers["Content-Type"] = "application/json" + (f";ty={ty}" if ty else "")
        headers |= more.get("headers", {})
        token = more.get("token", self.tokens.get(originator))
        body = json.dumps(document).encode() if document is not None else b""
        kept = {name: value for name, value in headers.items() if value is not None}
        return self.http(method, to, kept, body, token)

    def http(
        self,
        method: str,
        to: str,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        token: str | None = None,
    ) -> Answer:
        sent = dict(headers or {})
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        return self.runner.run(_call(self.app, method, to, sent, body))

    def register(self, originator: str, rn: str = "", **attributes: Any) -> Answer:
        """An account and its AE."""
        self.account(originator)
        document = {"api": "Norg.muster", "rr": False, "srv": ["4"], "rn": rn or originator}
        return self.ask("POST", "/cse-in", originator, 2, {"m2m:ae": document | attributes})


async def _call(
    app: ASGIApp, method: str, to: str, headers: Mapping[str, str], body: bytes
) -> Answer:
    path, _, query = to.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(k.lower().encode(), v.encode("latin-1")) for k, v in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8422),
    }
    incoming: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
    sent: list[Message] = []

    async def receive() -> Message:
        return incoming.pop(0) if incoming else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    content = b"".join(message.get("body", b"") for message in sent[1:])
    answered = {k.decode().upper(): v.decode() for k, v in sent[0]["headers"]}
    return Answer.of(sent[0]["status"], answered, content)


@contextmanager
def running(
    url: str,
    clock: Clock | None = None,
    bounds: Bounds | None = None,
    expiry: ExpiryClock | None = None,
    **more: Any,
) -> Iterator[Client]:
    """A platform on this database, started and stopped as a server would do it."""
    clock = clock or Clock()
    engine = open_engine(url)
    migrate(engine, "muster_server.platform_server", HEAD)
    hashes = frozenset({token_hash(ADMIN_TOKEN)})
    app = create_app(
        PlatformStore(engine), lambda: hashes, clock=clock, bounds=bounds, expiry=expiry, **more
    )
    try:
        with asyncio.Runner() as runner:
            lifespan = app.router.lifespan_context(app)
            runner.run(lifespan.__aenter__())
            try:
                yield Client(app, runner, clock, {"CAdmin": ADMIN_TOKEN})
            finally:
                runner.run(lifespan.__aexit__(None, None, None))
    finally:
        engine.dispose()
