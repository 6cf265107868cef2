# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Headers of each answer of the portal, page or not: people's browsers come here."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# An answer with somebody's script in it is no page, whatever a browser finds in it.
ALWAYS = {"X-Content-Type-Options": "nosniff"}


class AnswerHeaders:
    """Between the server and its app: adds the headers that an answer lacks."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def completed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in ALWAYS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, completed if scope["type"] == "http" else send)
