# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Headers of each answer of the portal, page or not: people's browsers come here."""

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Send

# An answer with somebody's script in it is no page, whatever a browser finds in it.
ALWAYS = {"X-Content-Type-Options": "nosniff"}


def completing(send: Send) -> Send:
    """Return what sends an answer with the headers that it lacks."""

    async def completed(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in ALWAYS.items():
                headers.setdefault(name, value)
        await send(message)

    return completed
