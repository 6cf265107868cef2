# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A served platform with a device on it, and requests to it as anybody."""

import time
from typing import Any

import requests

from muster_server.outgoing import Rules
from muster_server.platform_server.accounts import Accounts
from muster_server.platform_server.bounds import Bounds
from muster_server.store.platform import PlatformStore
from muster_server.tokens import token_hash

ADMIN_TOKEN = "mst_" + "a" * 43
PEN, CUP = "Cpen0123456789", "Ccup0123456789"
INSIDE = Rules(networks=("127.0.0.0/8",))
_TIMEOUT_S = 20


class Town:
    """A served platform, and requests to it as anybody."""

    def __init__(self, url: str, store: PlatformStore) -> None:
        self.url = url
        self.store = store
        hashes = frozenset({token_hash(ADMIN_TOKEN)})
        self.accounts = Accounts(store, lambda: hashes, time.time, Bounds())
        self.tokens = {"CAdmin": ADMIN_TOKEN}

    def ask(
        self,
        method: str,
        to: str,
        originator: str,
        ty: int = 0,
        body: Any = None,
        timeout_s: float = _TIMEOUT_S,
        **headers: str,
    ) -> requests.Response:
        sent = {
            "X-M2M-Origin": originator,
            "X-M2M-RI": "r1",
            "X-M2M-RVI": "4",
            "Content-Type": "application/json" + (f";ty={ty}" if ty else ""),
            "Authorization": f"Bearer {self.tokens[originator]}",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        return requests.request(
            method, f"{self.url}{to}", json=body, headers=sent, timeout=timeout_s
        )

    def create(self, to: str, originator: str, ty: int, root: str, **about: Any) -> dict[str, Any]:
        answer = self.ask("POST", to, originator, ty, {root: about})
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()[root]
        return made

    def register(self, originator: str, **about: Any) -> None:
        self.tokens[originator] = self.accounts.open_account(originator).token
        entity = {"rn": originator, "api": "N1", "rr": False, "srv": ["4"], **about}
        self.create("/cse-in", originator, 2, "m2m:ae", **entity)

    def publish(self, con: str, originator: str = PEN) -> None:
        self.create(f"/cse-in/{originator}/data", originator, 4, "m2m:cin", con=con)

    def subscribe(self, nu: Any, originator: str = PEN, **about: Any) -> requests.Response:
        wanted = {"rn": "watch", "nu": nu, "enc": {"net": [3]}, **about}
        return self.ask("POST", f"/cse-in/{PEN}/data", originator, 23, {"m2m:sub": wanted})

    def pending(self) -> int:
        with self.store.transaction() as rows:
            return len(rows.outbox.oldest(1000))


def code(answer: requests.Response) -> str:
    return answer.headers["X-M2M-RSC"]


def events(came: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one["m2m:sgn"]["nev"] for one in came if "nev" in one["m2m:sgn"]]


def contents(came: list[dict[str, Any]]) -> list[str]:
    return [event["rep"]["m2m:cin"]["con"] for event in events(came)]
