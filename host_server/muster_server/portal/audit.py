# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Writes down what is done at the portal, by its pages and its API alike."""

import time
from collections.abc import Callable
from typing import Any

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from muster_server.portal.access import HAND_OUT, Caller
from muster_server.portal.deeds import called, deed_by, write_down
from muster_server.portal.people import Visitor
from muster_server.store.audit import AuditStore, Deed
from muster_server.web import address_of

_ABOUT = ("device_id", "name", "task_id", "rollout_id", "webhook_id")  # of the addresses' parts


class Audit:
    """Between the server and its app: notes each deed of somebody who is known, and each try to
    become known, with how it ended. Reading is none, but for bundles, which hold passwords.
    """

    def __init__(
        self, app: ASGIApp, store: AuditStore, clock: Callable[[], float] = time.time
    ) -> None:
        self.app = app
        self._store = store
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        status = 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                # Before the answer, so that whoever has it finds it in the log.
                await self._note(scope, status)
            await send(message)

        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        await self.app(scope, receive, watched)

    async def _note(self, scope: Scope, status: int) -> None:
        deed = deed_of(scope, status, self._clock())
        if deed is None:
            return
        await run_in_threadpool(write_down, self._store, deed)


def deed_of(scope: Scope, status: int, at: float) -> Deed | None:
    """Return what a request did; None for one that changes nothing, or of nobody."""
    method, route = scope["method"], scope.get("route")
    if route is None:
        return None
    if method in ("GET", "HEAD") and not scope["path"].endswith(HAND_OUT):
        return None
    state: dict[str, Any] = scope.get("state") or {}
    who, owner = _known(state)
    if not who:
        return None
    parts = scope.get("path_params") or {}
    about = state.get("about") or next((parts[name] for name in _ABOUT if name in parts), "")
    address = address_of(Request(scope))
    return deed_by(who, owner, address, called(route.name), str(about), status, at)


def _known(state: dict[str, Any]) -> tuple[str, str]:
    """Return who asks, and for whose devices; empty if nobody knows."""
    visitor, caller = state.get("visitor"), state.get("caller")
    if isinstance(visitor, Visitor):
        caller = visitor.caller
    if isinstance(caller, Caller):
        return caller.name, caller.owner
    return str(state.get("trying", "")), ""
