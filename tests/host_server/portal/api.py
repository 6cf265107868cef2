# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The portal's API as its users call it."""

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
