# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""oneM2M requests: from an originator of ours, and from the administrator."""

import contextlib
import json
import tempfile
from pathlib import Path
from typing import Any

from muster_server.platform_server.app import create_app
from muster_server.store.engine import database_url, open_engine
from muster_server.store.migrations import migrate
from muster_server.store.platform import HEAD, PlatformStore
from muster_server.tokens import new_token, token_hash
from tests.fuzz.mutation import chance, changed_bytes, changed_json, changed_text
from tests.fuzz.servers.asgi import Answer, App, Request, running
from tests.fuzz.servers.config_server import Clock
from tests.fuzz.servers.openapi import Operations
from tests.fuzz.servers.target import Finding, check, some

AE = "Cdevice0123456789ab"
_PLACES = [
    "/cse-in", f"/cse-in/{AE}", f"/cse-in/{AE}/data", f"/cse-in/{AE}/data/la", f"/{AE}",
    "/cse-in/nod", "/~/id-in/cse-in", "/_/x/y", f"/cse-in/{AE}/data/ol", "/id-in", "/", "//",
]  # fmt: skip
_BODIES: list[tuple[int, Any]] = [
    (2, {"m2m:ae": {"rn": AE, "api": "Nx", "rr": False, "srv": ["4"], "lbl": ["muster:X"]}}),
    (2, {"m2m:ae": {"api": "Nx", "rr": True, "srv": ["2a", "4"], "poa": ["http://x"], "nl": "y"}}),
    (3, {"m2m:cnt": {"rn": "data", "mni": 100, "mbs": 5000, "lbl": ["a:b"]}}),
    (4, {"m2m:cin": {"cnf": "application/json:0", "con": '{"name":"t","value":1}'}}),
    (14, {"m2m:nod": {"rn": "nod", "ni": "PRESS-4", "hael": [AE]}}),
    (13, {"m2m:dvi": {"rn": "dvi", "mgd": 1007, "dlb": "|a:b", "man": "m", "mod": "x", "dty": "y",
                      "fwv": "1"}}),
    (0, {"m2m:ae": {"et": "20271123T075904", "lbl": ["x"]}}),
    (0, {"m2m:cnt": {"mni": 1, "lbl": None}}),
]  # fmt: skip
_QUERIES = ["rcn=0", "rcn=1", "rcn=4", "fu=1", "fu=1&drt=2&lvl=3&lim=10&ty=3+4&lbl=a%3Ab", "fu=2"]
_WORDS = [b"/", b"?", b"&", b"rcn=", b"ty=", b"%00", b"%", b"+", b"m2m:", b"cse-in", b"~/", b"la"]


class PlatformServer:
    """A platform in this process."""

    def __init__(self) -> None:
        self.token = new_token()
        self._closers = contextlib.ExitStack()
        directory = self._closers.enter_context(tempfile.TemporaryDirectory())
        engine = open_engine(database_url(Path(directory), "platform"))
        self._closers.callback(engine.dispose)
        migrate(engine, "muster_server.platform_server", HEAD)
        hashes = frozenset({token_hash(self.token)})
        self.asgi = create_app(PlatformStore(engine), lambda: hashes, clock=Clock())
        self.app: App = self._closers.enter_context(running(self.asgi))

    def admin(self, method: str, path: str, body: bytes = b"") -> Answer:
        return self.app.ask(Request(method, path, {"Authorization": f"Bearer {self.token}"}, body))

    def close(self) -> None:
        self._closers.close()


class OneM2M:
    name = "onem2m"

    def __init__(self) -> None:
        self._server = PlatformServer()
        issued = json.loads(self._server.admin("PUT", f"/accounts/{AE}").body)
        self._tokens = {AE: issued["token"], "CAdmin": self._server.token}
        self._play_all()

    def _play_all(self) -> None:
        for kind, body in _BODIES[:6]:
            place = {3: f"/cse-in/{AE}", 4: f"/cse-in/{AE}/data", 13: "/cse-in/nod"}.get(kind)
            who = "CAdmin" if kind in (13, 14) else AE
            self.play(self._case("POST", place or "/cse-in", who, kind, json.dumps(body).encode()))

    def _case(self, method: str, path: str, who: str, kind: int, body: bytes) -> dict[str, Any]:
        content_type = "application/json" + (f";ty={kind}" if kind else "")
        headers = {"X-M2M-Origin": who, "X-M2M-RI": "1", "X-M2M-RVI": "4"}
        if body:
            headers["Content-Type"] = content_type
        return Request(method, path, headers, body).kept()

    def case(self) -> dict[str, Any]:
        kind, document = some(_BODIES)
        path = some(_PLACES)
        if chance(3):
            path = changed_bytes(path.encode(), b"/cse-in/a", _WORDS).decode("latin-1")
        if chance(3):
            query = some(_QUERIES)
            path += "?" + (changed_text(query) if chance(2) else query)
        words = [b"m2m:cnt", b'"', b"null", b"[", b"{", b"\\u0000"]
        body = changed_json(document, json.dumps(document).encode(), words)
        method = some(["POST"] * 5 + ["PUT"] * 4 + ["GET", "DELETE"])
        who = AE if chance(2) else "CAdmin"
        case = self._case(method, path, who, kind, body if method in ("POST", "PUT") else b"")
        if chance(4):
            name = some(list(case["headers"]))
            case["headers"][name] = changed_text(case["headers"][name])
        return case

    def play(self, case: dict[str, Any]) -> None:
        request = Request.of(case)
        who = request.headers.get("X-M2M-Origin", AE)
        token = self._tokens.get(who, self._tokens[AE])
        request.headers["Authorization"] = f"Bearer {token}"
        answer = self._server.app.ask(request)
        check(request, answer)
        rsc = answer.headers.get("x-m2m-rsc")
        if answer.status == 501 and rsc not in ("4001", "5001"):
            raise Finding(f"not implemented, and RSC is {rsc}")

    def close(self) -> None:
        self._server.close()


class Accounts:
    """The accounts API, from its own OpenAPI description."""

    name = "accounts"

    def __init__(self) -> None:
        self._server = PlatformServer()
        for originator in ("Cone", "Ctwo"):
            self._server.admin("PUT", f"/accounts/{originator}")
        description = json.loads(self._server.app.ask(Request("GET", "/openapi.json")).body)
        known = {"originator": ["Cone", "Ctwo"], "token_id": ["0", "x"]}
        self._operations = Operations(description, known)

    def case(self) -> dict[str, Any]:
        return self._operations.request().kept()

    def play(self, case: dict[str, Any]) -> None:
        request = Request.of(case)
        request.headers.setdefault("Authorization", f"Bearer {self._server.token}")
        answer = self._server.app.ask(request)
        check(request, answer)
        self._operations.check(request, answer)

    def close(self) -> None:
        self._server.close()
