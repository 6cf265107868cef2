# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""HTTP calls from one server, or from the command line, to another."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Protocol

import requests
from requests.adapters import HTTPAdapter

from muster_server import request_id
from muster_server.errors import NoAnswer, ServiceUnreachable
from muster_server.lane import leave
from muster_server.tokens import TokenSource, token_of

CONNECT_TIMEOUT_S = 2.0
# Who asks a server that asks another one waits longer than that one does, so that it hears which
# of them is silent. A platform is asked by one who waits for another's question to it first.
PLATFORM_TIMEOUT_S = 3.0  # a device waits for its directive meanwhile
CONFIG_TIMEOUT_S = 2 * (CONNECT_TIMEOUT_S + PLATFORM_TIMEOUT_S) + 5
PORTAL_TIMEOUT_S = 2 * (CONNECT_TIMEOUT_S + CONFIG_TIMEOUT_S) + 5  # it may ask twice


# Who is asked closes a connection that was quiet for 5 s: none is used that may be closing.
_KEPT_S = 3.0
_KEPT_CONNECTIONS = 32


class Answer(Protocol):
    """An answer to a call, whichever way it went."""

    @property
    def status_code(self) -> int: ...

    @property
    def ok(self) -> bool: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    @property
    def content(self) -> bytes: ...

    def json(self) -> Any: ...


class Service(Protocol):
    """Another server, in this process (in_process.Door) or behind HTTP."""

    def ask(
        self,
        method: str,
        path: str,
        token: TokenSource | None,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        read_timeout_s: float,
    ) -> Answer:
        """The answer, whatever its status; NoAnswer if there is none in time."""


class Remote:
    """A server behind HTTP, whose connections are kept for a moment and shared by all threads."""

    def __init__(self, url: str, ca_file: str | None = None) -> None:
        self._url = url
        self._ca_file = ca_file
        self._lock = threading.Lock()
        self._session: requests.Session | None = None
        self._used_at = 0.0

    def ask(
        self,
        method: str,
        path: str,
        token: TokenSource | None,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        read_timeout_s: float,
    ) -> Answer:
        """The answer, with the rules of `call`; NoAnswer if there is none in time."""
        return _asked(
            self._kept(), method, self._url + path, token, body,
            headers=headers, ca_file=self._ca_file, read_timeout_s=read_timeout_s,
        )  # fmt: skip

    def _kept(self) -> requests.Session:
        now = time.monotonic()
        with self._lock:
            if self._session is None or now - self._used_at > _KEPT_S:
                # The former one's connections close when the last that uses it has its answer.
                self._session = _session()
            self._used_at = now
            return self._session


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = HTTPAdapter(pool_connections=1, pool_maxsize=_KEPT_CONNECTIONS)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def call(
    method: str,
    url: str,
    token: TokenSource | None,
    body: Any = None,
    *,
    headers: dict[str, str] | None = None,
    ca_file: str | None = None,
    read_timeout_s: float,
) -> requests.Response:
    """The answer, whatever its status; NoAnswer if there is none in time.

    Neither proxies nor netrc of the environment are used, and no redirect is followed: the token
    goes to this URL and nowhere else.
    """
    with requests.Session() as session:
        session.trust_env = False
        return _asked(
            session, method, url, token, body,
            headers=headers, ca_file=ca_file, read_timeout_s=read_timeout_s,
        )  # fmt: skip


def _asked(
    session: requests.Session,
    method: str,
    url: str,
    token: TokenSource | None,
    body: Any,
    *,
    headers: dict[str, str] | None,
    ca_file: str | None,
    read_timeout_s: float,
) -> requests.Response:
    leave()  # whoever comes after does not wait for that server
    all_headers = request_id.headers() | dict(headers or {})
    if token is not None:
        all_headers["Authorization"] = f"Bearer {token_of(token)}"
    try:
        return session.request(
            method,
            url,
            json=body,
            headers=all_headers,
            timeout=(CONNECT_TIMEOUT_S, read_timeout_s),
            allow_redirects=False,
            verify=ca_file or True,
        )
    except (requests.RequestException, OSError) as error:
        raise _no_answer(url.partition("?")[0], error) from None


@dataclass(frozen=True)
class Fetched:
    """An answer of a server that somebody else may run: no longer than was allowed."""

    status: int
    headers: Mapping[str, str]
    content: bytes


def fetch(
    url: str,
    token: str | None,
    *,
    headers: dict[str, str],
    ca_file: str | None,
    timeout_s: float,
    most_bytes: int,
    method: str = "GET",
    body: bytes | None = None,
) -> Fetched:
    """Get what is there, with the rules of `call`, and a deadline for all of it.

    ServiceUnreachable if it is longer; NoAnswer if it does not come in time.
    """
    if token is not None:
        headers = {**headers, "Authorization": f"Bearer {token}"}
    place, deadline = url.partition("?")[0], time.monotonic() + timeout_s
    content = bytearray()
    leave()
    with requests.Session() as session:
        session.trust_env = False
        try:
            with session.request(
                method,
                url,
                data=body,
                headers=headers,
                timeout=(CONNECT_TIMEOUT_S, timeout_s),
                allow_redirects=False,
                verify=ca_file or True,
                stream=True,
            ) as answer:
                for part in answer.iter_content(65536):
                    content += part
                    if len(content) > most_bytes:
                        raise ServiceUnreachable(f"{place} answered more than {most_bytes} bytes")
                    if time.monotonic() > deadline:
                        raise NoAnswer(f"{place} took longer than {timeout_s:.0f} s to answer")
                return Fetched(answer.status_code, answer.headers, bytes(content))
        except (requests.RequestException, OSError) as error:
            raise _no_answer(place, error) from None


def _no_answer(place: str, error: Exception) -> NoAnswer:
    why = next((words for kind, words in _REASONS if isinstance(error, kind)), "")
    return NoAnswer(
        f"{place} did not answer{why}; check that the server runs and that the address is right"
    )


# In this order: some kinds are kinds of others.
_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (requests.exceptions.SSLError, " as it should over TLS, or its certificate is not trusted"),
    (requests.Timeout, " in time"),
    (requests.ConnectionError, ": no connection"),
)
