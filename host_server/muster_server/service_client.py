# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""One HTTP call from one server, or from the command line, to another."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

from muster_server.errors import NoAnswer, ServiceUnreachable
from muster_server.tokens import TokenSource, token_of

CONNECT_TIMEOUT_S = 2.0
# Who asks a server that asks another one waits longer than that one does, so that it hears which
# of them is silent. A platform is asked by one who waits for another's question to it first.
PLATFORM_TIMEOUT_S = 3.0  # a device waits for its directive meanwhile
CONFIG_TIMEOUT_S = 2 * (CONNECT_TIMEOUT_S + PLATFORM_TIMEOUT_S) + 5
PORTAL_TIMEOUT_S = 2 * (CONNECT_TIMEOUT_S + CONFIG_TIMEOUT_S) + 5  # it may ask twice


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
    all_headers = dict(headers or {})
    if token is not None:
        all_headers["Authorization"] = f"Bearer {token_of(token)}"
    with requests.Session() as session:
        session.trust_env = False
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
) -> Fetched:
    """Get what is there, with the rules of `call`, and a deadline for all of it.

    ServiceUnreachable if it is longer; NoAnswer if it does not come in time.
    """
    if token is not None:
        headers = {**headers, "Authorization": f"Bearer {token}"}
    place, deadline = url.partition("?")[0], time.monotonic() + timeout_s
    content = bytearray()
    with requests.Session() as session:
        session.trust_env = False
        try:
            with session.get(
                url,
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
