# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""HTTP to one server, over one connection after another or over a kept one."""

import socket
import ssl
import time
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import urlsplit

from muster_harness.errors import HarnessError
from muster_harness.fleet.answer import Answer
from muster_harness.fleet.line import Line, Place, opened


class Link:
    """One server, as one device or one person reaches it. Not for two requests at a time."""

    __slots__ = ("_base", "_ca", "_ca_file", "_head", "_is_secure", "_kept", "_source", "_url")

    def __init__(
        self,
        url: str,
        *,
        source: str | None = None,
        ca_file: str | None = None,
        ca: bytes | None = None,
    ) -> None:
        """`source` is the address to come from; `ca_file`, or `ca` as DER, is whom to trust.

        Raises HarnessError if the URL is none, or the file holds no certificate.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise HarnessError(f'wanted a URL like "http://127.0.0.1:8421", got "{url}"')
        self._url, self._source, self._ca_file, self._ca = url, source, ca_file, ca
        self._is_secure = parts.scheme == "https"
        if self._is_secure and ca_file is not None:
            try:
                _context(ca_file, ca)
            except OSError as error:
                reason = error.strerror or "no certificate in PEM form is there"
                raise HarnessError(f"{ca_file}: {reason}; name a CA's certificate") from None
        self._base = parts.path.rstrip("/")
        # As firmware writes it.
        self._head = (
            f" HTTP/1.1\r\nHost: {parts.netloc}\r\nUser-Agent: Muster/0.1.0\r\n"
            "Accept-Encoding: identity\r\n"
        )
        self._kept: Line | None = None

    async def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        keep: bool = False,
    ) -> Answer:
        """Ask, and never raise for what a network does: then the answer's status is 0.

        With `keep` the connection stays open for the next such request; else it is closed after
        the answer, as a device does. Raises HarnessError if a header would be two lines.
        """
        written = self._written(method, path, body, headers or {})
        line = None
        try:
            line = await self._line()
            began = time.perf_counter()
            reading = await line.exchange(written)
        except OSError as error:
            if line is not None:
                line.close()
            return Answer(0, reason=type(error).__name__)
        except BaseException:
            if line is not None:
                line.close()
            raise
        took_s = time.perf_counter() - began
        if keep and reading.is_kept and line.is_open:
            self._kept = line
        else:
            line.close()
        return reading.answer(took_s)

    def close(self) -> None:
        """End the kept connection."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def _written(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> bytes:
        parts = [f"{method} {self._base}{path}", self._head]
        for name, value in headers.items():
            if "\r" in value or "\n" in value:
                raise HarnessError(f"the header {name} would be two lines")
            parts.append(f"{name}: {value}\r\n")
        if body is not None:
            parts.append(f"Content-Length: {len(body)}\r\n")
        parts.append("\r\n")
        return "".join(parts).encode("latin-1") + (body or b"")

    async def _line(self) -> Line:
        kept, self._kept = self._kept, None
        if kept is not None and kept.is_open:
            return kept
        context = _context(self._ca_file, self._ca) if self._is_secure else None
        return await opened(_place(self._url), self._source, context)


class Links:
    """Kept links to one server for many askers: whoever asks takes one that is free."""

    def __init__(self, url: str, ca_file: str | None = None) -> None:
        """Raises HarnessError if the URL is none."""
        self._url, self._ca_file = url, ca_file
        self._free = [Link(url, ca_file=ca_file)]

    async def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Ask as a Link does, on a kept connection."""
        link = self._free.pop() if self._free else Link(self._url, ca_file=self._ca_file)
        try:
            return await link.request(method, path, body, headers, keep=True)
        finally:
            self._free.append(link)

    def close(self) -> None:
        """End those that are free."""
        for link in self._free:
            link.close()


@lru_cache
def _place(url: str) -> Place:
    """Look a server up, once. Raises OSError if its name is not known."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    return Place(family, (str(address[0]), int(address[1])), host)


@lru_cache
def _context(ca_file: str | None, ca: bytes | None) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_file, cadata=ca)


def loopback_address(url: str, number: int) -> str | None:
    """Return an address of the loopback network for a device, if the server is there.

    Else None. So devices of one machine come from addresses of their own, as they do in the field.
    """
    host = urlsplit(url).hostname or ""
    if not host.startswith("127."):
        return None
    number = number % (254 * 250 * 250)
    return f"127.{1 + number // 62500}.{number // 250 % 250}.{1 + number % 250}"
