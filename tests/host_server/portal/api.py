# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The portal's API as its users call it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

from muster_server.label import Label
from muster_server.tokens import new_token, token_hash

ADMIN, SERVICE = new_token(), new_token()


def hashes(*tokens: str) -> frozenset[str]:
    return frozenset(token_hash(token) for token in tokens)


def call(method: str, url: str, body: Any = None, token: str = ADMIN) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.request(method, url, json=body, headers=headers, timeout=5)


def register(url: str, label: Label) -> requests.Response:
    body = {"label": label.qr_text, "profile": "press", "name": "press 4"}
    return call("POST", url + "/v1/devices", body)


@contextmanager
def followed(
    url: str, device_id: str, known: str = ""
) -> Iterator[Iterator[tuple[str, dict[str, Any]]]]:
    """The events of a device's stream as they come: id and document."""
    headers = {"Authorization": f"Bearer {ADMIN}", "Last-Event-ID": known}
    address = f"{url}/v1/devices/{device_id}/stream"
    with requests.get(address, headers=headers, stream=True, timeout=20) as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        yield _events(answer)


def _events(answer: requests.Response) -> Iterator[tuple[str, dict[str, Any]]]:
    lines = answer.iter_lines(chunk_size=1, decode_unicode=True)
    identity = ""
    for line in lines:
        if line.startswith("id: "):
            identity = line[4:]
        if line.startswith("data: "):
            yield identity, json.loads(line[6:])
