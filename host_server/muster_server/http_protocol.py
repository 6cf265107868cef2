# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""HTTP/1.1 as the servers speak it: uvicorn's, by a parser in C, with a deadline and a bound for a
request's headers, and one answer to a request that ends as none.

uvicorn waits for ever for the headers of a connection's first request, and keeps whatever comes as
headers; and so does a stranger who sends one byte an hour, or a gigabyte, on every connection that
there may be.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEADERS_DEADLINE_S = 10.0
MOST_HEADER_BYTES = 16 * 1024
# A chunk of one byte has a head of three and an end of two.
_MOST_OF_A_CHUNK = 16
_OF_A_BODY = (b"content-length", b"transfer-encoding")

_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class RefusedHeaders(Exception):
    """The headers are none that this server takes. The parser passes it on as an error of its own,
    which is answered with 400.
    """


class DeadlineProtocol(HttpToolsProtocol):
    """Closes a connection whose request's headers have not come in time, or do not end."""

    headers_deadline_s = HEADERS_DEADLINE_S
    _due_at: float | None = None  # by the loop's clock, when it is the client's turn
    # One for all requests of a connection: to set it anew for each costs more than to look.
    _looking: asyncio.TimerHandle | None = None
    _has_headers = False  # of the request that comes
    _header_bytes = 0
    _came_bytes, _body_bytes = 0, 0

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        self._came_bytes += len(data)
        super().data_received(data)
        # What is neither body nor the head of a chunk: headers, or what follows the last chunk.
        allowed = MOST_HEADER_BYTES + _MOST_OF_A_CHUNK * self._body_bytes
        if self._came_bytes - self._body_bytes > allowed and not self.transport.is_closing():
            self.send_400_response("The headers are too long.")
        self._watch()

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._has_headers, self._header_bytes = False, 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """One line of the headers, or of what follows the last chunk, is complete.

        Raises RefusedHeaders if all are too long.
        """
        self._header_bytes += len(name) + len(value)
        if self._header_bytes > MOST_HEADER_BYTES:
            raise RefusedHeaders("too long")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The headers are complete; exactly one says for which host they are (RFC 9112 3.2).

        Raises RefusedHeaders if none does, or two do; or for a body of a request that asks for
        another protocol: the parser would take it for the next request.
        """
        hosts = sum(name == b"host" for name, _ in self.headers)
        if hosts > 1 or (hosts == 0 and self.parser.get_http_version() != "1.0"):
            raise RefusedHeaders("wanted one Host")
        asks_for_another = self.parser.should_upgrade()
        if asks_for_another and any(name in _OF_A_BODY for name, _ in self.headers):
            raise RefusedHeaders("wanted HTTP/1.1, or no body")
        self._has_headers = True
        super().on_headers_complete()
        if asks_for_another:
            # It is answered as any other; but the parser drops what has come behind it.
            self.cycle.keep_alive = False
        self._stop_watching()

    def on_body(self, body: bytes) -> None:
        """A part of its body has come."""
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request has come whole: what comes now belongs to the next."""
        super().on_message_complete()
        self._has_headers = False
        self._came_bytes, self._body_bytes = 0, 0

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._watch()

    def send_400_response(self, msg: str) -> None:
        """To what is no HTTP. If a request is being answered, of whose body it was to be a part,
        its answer would be a second one: it goes nowhere.
        """
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            if self.cycle.response_started:
                self.transport.close()
                return
        super().send_400_response(msg)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_watching()
        if self._looking is not None:
            self._looking.cancel()
            self._looking = None
        super().connection_lost(exc)

    @property
    def _is_idle(self) -> bool:
        """Tell whether it is the client's turn: to send the headers of a request, or the rest of
        one that is answered already.
        """
        return self.cycle is None or bool(self.cycle.response_complete)

    def _watch(self) -> None:
        if not self._is_idle:
            self._stop_watching()
        elif self._due_at is None:
            self._due_at = self.loop.time() + self.headers_deadline_s
            self._look_at(self._due_at)

    def _stop_watching(self) -> None:
        self._due_at = None

    def _look_at(self, due_at: float) -> None:
        if self._looking is None:
            self._looking = self.loop.call_at(due_at, self._look)

    def _look(self) -> None:
        self._looking = None
        if self._due_at is None:
            return
        if self.loop.time() < self._due_at:  # of a later request
            self._look_at(self._due_at)
        else:
            self._due_at = None
            self._give_up()

    def _give_up(self) -> None:
        if self.transport.is_closing() or not self._is_idle:
            return
        if not self._has_headers:
            self.transport.write(_TOO_SLOW)
        self.transport.close()
