# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""HTTP to one server, over one connection after another or over a kept one."""

import http.client
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from muster_harness.errors import HarnessError

DEADLINE_S = 30.0


@dataclass(frozen=True)
class Answer:
    """A server's answer; status 0 if there was none."""

    status: int
    body: bytes = b""
    rsc: str = ""  # oneM2M's response status code, X-M2M-RSC
    retry_s: float | None = None  # Retry-After
    reason: str = ""  # why there is none, the name of an exception

    def document(self) -> dict[str, Any]:
        """Return the body as JSON; empty if it is no object."""
        try:
            found = json.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


class Link:
    """One server, as one device or one person reaches it. Not for two threads at a time."""

    def __init__(
        self,
        url: str,
        *,
        source: str | None = None,
        ca_file: str | None = None,
        ca: bytes | None = None,
    ) -> None:
        """`source` is the address to come from; `ca_file`, or `ca` as DER, is whom to trust.

        Raises HarnessError if the URL is none.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise HarnessError(f'wanted a URL like "http://127.0.0.1:8421", got "{url}"')
        self._is_secure = parts.scheme == "https"
        self._host, self._port = parts.hostname, parts.port
        self._base = parts.path.rstrip("/")
        self._source = None if source is None else (source, 0)
        self._context: ssl.SSLContext | None = None
        if self._is_secure:
            self._context = ssl.create_default_context(cafile=ca_file, cadata=ca)
        self._kept: http.client.HTTPConnection | None = None

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        keep: bool = False,
    ) -> Answer:
        """Ask, and never raise for what a network does: then the answer's status is 0.

        With `keep` the connection stays open for the next such request.
        """
        connection = self._kept or self._connection()
        self._kept = None
        about = dict(headers or {})
        if not keep:
            about["Connection"] = "close"
        try:
            connection.request(method, self._base + path, body, about)
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            return Answer(0, reason=type(error).__name__)
        if keep and not response.will_close:
            self._kept = connection
        else:
            connection.close()
        wait = response.headers.get("Retry-After", "")
        return Answer(
            response.status,
            content,
            response.headers.get("X-M2M-RSC", ""),
            float(wait) if wait.isdecimal() else None,
        )

    def close(self) -> None:
        """End the kept connection."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def _connection(self) -> http.client.HTTPConnection:
        if self._context is not None:
            made: http.client.HTTPConnection = http.client.HTTPSConnection(
                self._host, self._port, timeout=DEADLINE_S, context=self._context,
                source_address=self._source,
            )  # fmt: skip
        else:
            made = http.client.HTTPConnection(
                self._host, self._port, timeout=DEADLINE_S, source_address=self._source
            )
        return made


def loopback_address(url: str, number: int) -> str | None:
    """Return an address of the loopback network for a device, if the server is there.

    Else None. So devices of one machine come from addresses of their own, as they do in the field.
    """
    host = urlsplit(url).hostname or ""
    if not host.startswith("127."):
        return None
    number = number % (254 * 250 * 250)
    return f"127.{1 + number // 62500}.{number // 250 % 250}.{1 + number % 250}"
