# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The sync: from strangers, and from a device that has the key and reports nonsense."""

import contextlib
import json
import random
import tempfile
from pathlib import Path
from typing import Any

from muster_server.config_server.app import create_app
from muster_server.label import new_label
from muster_server.store.config_tables import HEAD
from muster_server.store.engine import database_url, open_engine
from muster_server.store.migrations import migrate
from muster_server.store.secrets import SecretBox
from muster_server.tokens import new_token, token_hash
from tests.fuzz.mutation import chance, changed_bytes, changed_json, changed_text
from tests.fuzz.servers.asgi import App, Request, running
from tests.fuzz.servers.target import Finding, check, goldens, some
from tests.host_server.config_server.field import (
    OWNER,
    PROFILE,
    Device,
    FakePlatform,
    FakePlatforms,
)

_EACH_S = 10.0  # passes between two requests, so that the limits of rate are not what is tested
_OCTETS = {"Content-Type": "application/octet-stream"}


class Clock:
    """Moves at each look, so that no rate is ever too high."""

    def __init__(self, now_s: float = 1_795_430_400.0) -> None:
        self._now_s = now_s

    def __call__(self) -> float:
        self._now_s += _EACH_S
        return self._now_s


class ConfigServer:
    """A configuration server with a profile, in this process."""

    def __init__(self, clock: Any = None) -> None:
        self.token = new_token()
        self._closers = contextlib.ExitStack()
        directory = self._closers.enter_context(tempfile.TemporaryDirectory())
        engine = open_engine(database_url(Path(directory), "config"))
        self._closers.callback(engine.dispose)
        migrate(engine, "muster_server.config_server", HEAD)
        platform = FakePlatform()
        self.asgi = create_app(
            engine,
            SecretBox(bytes(32)),
            accepted_hashes=lambda: frozenset({token_hash(self.token)}),
            platforms=FakePlatforms(platform),
            public_url="http://127.0.0.1:8421",
            clock=clock or Clock(),
            monotonic=clock or Clock(),
        )

    def start(self) -> App:
        app = self._closers.enter_context(running(self.asgi))
        self.do(app, "POST", "/v1/profiles", PROFILE)
        return app

    def do(self, app: App, method: str, path: str, document: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"}
        body = json.dumps(document).encode() if document is not None else b""
        answer = app.ask(Request(method, path, headers, body))
        if answer.status >= 300:
            raise Finding(f"{method} {path} does not work any more: {answer.body[:200]!r}")
        return json.loads(answer.body) if answer.body else None

    def close(self) -> None:
        self._closers.close()


class StrangeSync:
    """Bodies, ids and keys' names from somebody who has no key."""

    name = "sync_stranger"

    def __init__(self) -> None:
        self._server = ConfigServer()
        self._app = self._server.start()
        self._messages = [
            bytes.fromhex(case["message_1_hex"])
            for case in goldens("exchanges")
            if "message_1_hex" in case
        ]
        self._ids = ["PRESS-4", "A", "é", "%2e%2e", "a" * 40]
        label = new_label("KNOWN-1")
        document = {"label": label.qr_text, "profile": "press"}
        self._server.do(self._app, "POST", f"/v1/devices?owner={OWNER}", document)
        self._ids.append(label.device_id)

    def case(self) -> dict[str, Any]:
        device_id, k = some(self._ids), some(["label", "1", "7", "label", ""])
        headers = dict(_OCTETS)
        if chance(4):
            device_id = changed_text(device_id)
        if chance(4):
            k = changed_text(k)
        if chance(8):
            headers[some(["Content-Length", "Content-Type", "Expect"])] = changed_text("100")
        body = changed_bytes(some(self._messages), some(self._messages), [bytes(32), b"\xff" * 32])
        path = f"/v1/devices/{device_id}/sync" + (f"?k={k}" if k else "")
        return Request(some(["POST"] * 9 + ["GET"]), path, headers, body).kept()

    def play(self, case: dict[str, Any]) -> None:
        request = Request.of(case)
        answer = self._app.ask(request)
        check(request, answer)
        if answer.status == 200:
            raise Finding("a stranger was given a directive")

    def close(self) -> None:
        self._server.close()


class KnownSync:
    """A device of ours, gone mad: the key is right, the report is not."""

    name = "sync_report"

    def __init__(self) -> None:
        self._server = ConfigServer()
        self._app = self._server.start()
        self._reports = [case["value"] for case in goldens("reports")]
        self._device = Device(None, new_label("MAD-1"))  # type: ignore[arg-type]
        document = {"label": self._device.label.qr_text, "profile": "press"}
        self._server.do(self._app, "POST", f"/v1/devices?owner={OWNER}", document)
        self._nonce: str | None = None

    def case(self) -> dict[str, Any]:
        report = some(self._reports)
        if chance(2):
            report = report | {"echo": self._nonce}
        k = some(["label", *map(str, self._device.configs)])
        text = changed_json(report, b'"echo":null,', [b",", b'"', b"[", b"}", b"\\u0000"])
        return {"k": k, "report": text.decode("latin-1")}

    def play(self, case: dict[str, Any]) -> None:
        if case["k"] not in ("label", *map(str, self._device.configs)):
            case = case | {"k": "label"}
        payload = case["report"].encode("latin-1")
        noise, message = self._device.sealed(case["k"], payload)
        request = Request("POST", f"/v1/devices/MAD-1/sync?k={case['k']}", _OCTETS, message)
        answer = self._app.ask(request)
        check(request, answer)
        if answer.status != 200:
            # A version's key ends when a newer one is proved; the label's does not.
            ended = (403,) if case["k"] != "label" else ()
            if answer.status not in (400, 413, *ended):
                raise Finding(f"a device of ours is answered with HTTP {answer.status}")
            return
        self._obey(json.loads(noise.read_message(answer.body)))

    def _obey(self, directive: dict[str, Any]) -> None:
        self._nonce = directive["nonce"]
        if directive["action"] == "configure":
            self._device.configs[directive["config"]["version"]] = directive["config"]
        while len(self._device.configs) > 3:
            del self._device.configs[min(self._device.configs)]
        if random.randrange(50) == 0:  # the owner looks, and lets it begin anew
            shown = self._server.do(self._app, "GET", f"/v1/devices/MAD-1?owner={OWNER}")
            if len(json.dumps(shown)) > 64 * 1024:
                raise Finding("what is kept of a device grows")
            self._server.do(self._app, "POST", f"/v1/devices/MAD-1/window?owner={OWNER}")

    def close(self) -> None:
        self._server.close()
