# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Follows a stream of a server's (server-sent events, WHATWG HTML), through restarts of it."""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import requests

from muster_server.errors import ServiceUnreachable
from muster_server.service_client import CONNECT_TIMEOUT_S

# The server says something every 15 s; after that it is gone, whatever the connection says.
_SILENT_S = 40.0
_FIRST_RETRY_S, _LONGEST_RETRY_S = 0.5, 10.0
_GIVE_UP_S = 600.0
_PASSING = (429, 502, 503, 504)


def documents(
    url: str,
    token: str,
    ca_file: str | None,
    *,
    understood: Callable[[requests.Response], dict[str, Any]],
    tell: Callable[[str], None],
    give_up_s: float = _GIVE_UP_S,
) -> Iterator[dict[str, Any]]:
    """The documents, each once. `understood` raises what the server says no with; `tell` hears
    that the connection was lost. ServiceUnreachable if it does not come back for `give_up_s`.
    """
    newest, retry_s = "", _FIRST_RETRY_S
    heard_at, is_told = time.monotonic(), False
    while True:
        headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
        if newest:
            headers["Last-Event-ID"] = newest
        try:
            with requests.Session() as session:
                session.trust_env = False
                with session.get(
                    url,
                    headers=headers,
                    stream=True,
                    timeout=(CONNECT_TIMEOUT_S, _SILENT_S),
                    allow_redirects=False,
                    verify=ca_file or True,
                ) as answer:
                    if not answer.ok and answer.status_code not in _PASSING:
                        understood(answer)
                    for identity, document in _events(answer.iter_lines()):
                        newest = identity
                        heard_at, retry_s, is_told = time.monotonic(), _FIRST_RETRY_S, False
                        yield document
        except (requests.RequestException, OSError):
            pass  # it is tried again
        if time.monotonic() - heard_at > give_up_s:
            raise ServiceUnreachable(f"{url} has not answered for {give_up_s:.0f} s")
        if not is_told and time.monotonic() - heard_at > retry_s:
            is_told = True
            tell("the portal does not answer; it is asked again until Ctrl-C")
        time.sleep(retry_s)
        retry_s = min(_LONGEST_RETRY_S, retry_s * 2)


def _events(lines: Iterable[bytes]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The id and the document of each event."""
    identity, data = "", b""
    for line in lines:
        if line.startswith(b"id: "):
            identity = line[4:].decode("ascii", "replace")
        elif line.startswith(b"data: "):
            data += line[6:]
        elif not line and data:
            yield identity, json.loads(data)
            data = b""
