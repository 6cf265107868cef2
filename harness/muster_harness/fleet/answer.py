# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A server's answer, and how it is read from the bytes that come: by llhttp, through httptools."""

import json
from dataclasses import dataclass
from typing import Any

from httptools import HttpParserError, HttpResponseParser

_RSC, _RETRY_AFTER = b"x-m2m-rsc", b"retry-after"
_FRAMING = (b"content-length", b"transfer-encoding")


@dataclass(frozen=True)
class Answer:
    """A server's answer; status 0 if there was none."""

    status: int
    body: bytes = b""
    rsc: str = ""  # oneM2M's response status code, X-M2M-RSC
    retry_s: float | None = None  # Retry-After
    reason: str = ""  # why there is none, the name of an exception
    took_s: float = 0.0  # since the request was sent

    def document(self) -> dict[str, Any]:
        """Return the body as JSON; empty if it is no object."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


class Reading:
    """One answer while it comes. Its methods named on_… are for the parser."""

    __slots__ = ("_body", "_has_length", "_headers", "_parser", "is_complete", "is_kept", "status")

    def __init__(self) -> None:
        self._parser = HttpResponseParser(self)
        self._headers: dict[bytes, bytes] = {}
        self._body: list[bytes] = []
        self._has_length = False
        self.is_complete = False
        self.is_kept = False  # the server keeps the connection
        self.status = 0

    def feed(self, data: bytes) -> None:
        """Take what has come. Raises ConnectionError if it is no HTTP."""
        try:
            self._parser.feed_data(data)
        except HttpParserError as error:
            raise ConnectionError(f"no HTTP: {error}") from None

    def end(self) -> None:
        """The connection has ended. Raises ConnectionResetError if more should have come."""
        if not self.is_complete and (not self.status or self._has_length):
            raise ConnectionResetError("the connection ended before the answer")
        self.is_complete = True

    def answer(self, took_s: float) -> Answer:
        """Return what has come."""
        wait = self._headers.get(_RETRY_AFTER, b"").decode("latin-1")
        return Answer(
            self.status,
            b"".join(self._body),
            self._headers.get(_RSC, b"").decode("latin-1"),
            float(wait) if wait.isdecimal() else None,
            took_s=took_s,
        )

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep it."""
        self._headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        """Look at what is said of the rest."""
        status = self._parser.get_status_code()
        if status < 200:  # a word between, such as 100 Continue: the answer follows
            self._headers.clear()
            return
        self.status = status
        self.is_kept = self._parser.should_keep_alive()
        self._has_length = any(name in self._headers for name in _FRAMING)

    def on_body(self, data: bytes) -> None:
        """Keep it."""
        self._body.append(data)

    def on_message_complete(self) -> None:
        """Note that all has come."""
        self.is_complete = self.status != 0
