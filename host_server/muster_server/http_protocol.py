# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""HTTP/1.1 as the servers speak it: uvicorn's, with a deadline for a request's headers, and one
answer to a request that ends as none.

uvicorn waits for ever for the headers of a connection's first request, and so does a stranger who
sends one byte an hour, on every connection that there may be.
"""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEADERS_DEADLINE_S = 10.0

_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class DeadlineProtocol(H11Protocol):
    """Closes a connection whose request's headers have not come in time."""

    headers_deadline_s = HEADERS_DEADLINE_S
    _headers_due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch()

    def send_400_response(self, msg: str) -> None:
        """To what is no HTTP. If a request is being answered, of whose body it was to be a part,
        its answer would be a second one, which h11 refuses with a traceback: it goes nowhere."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            super().send_400_response(msg)
        else:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_watching()
        super().connection_lost(exc)

    def _watch(self) -> None:
        # h11 knows a request when its headers are complete: until then the client is idle.
        if self.conn.their_state is not h11.IDLE:
            self._stop_watching()
        elif self._headers_due is None:
            self._headers_due = self.loop.call_later(self.headers_deadline_s, self._give_up)

    def _stop_watching(self) -> None:
        if self._headers_due is not None:
            self._headers_due.cancel()
            self._headers_due = None

    def _give_up(self) -> None:
        self._headers_due = None
        if self.transport.is_closing() or self.conn.their_state is not h11.IDLE:
            return
        self.transport.write(_TOO_SLOW)
        self.transport.close()
