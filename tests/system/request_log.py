# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Servers that say each request when it is answered, for a test's log; the product does not.

Without the query: it is for tests only, but they search their logs for secrets.
"""

import sys
import time
from typing import Any

import uvicorn

_Config = uvicorn.Config


class Said:
    """An ASGI application that prints what another one answers."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.monotonic()

        async def say(message: Any) -> None:
            if message["type"] == "http.response.start":
                took_ms = (time.monotonic() - began) * 1000
                request = f"{scope['method']} {scope['path']}"
                print(f"{request}: {message['status']}, {took_ms:.0f} ms", file=sys.stderr)
            await send(message)

        await self._app(scope, receive, say)


def _said(app: Any, **options: Any) -> uvicorn.Config:
    return _Config(Said(app), **options)


def say_requests() -> None:
    """From now on, in this process."""
    uvicorn.Config = _said  # type: ignore[assignment,misc]
