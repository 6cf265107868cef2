# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The portal's API through its OpenAPI description, and the file of a bulk registration.

The portal talks to a real configuration server over a real port.
"""

import contextlib
import io
import json
import tempfile
from pathlib import Path
from typing import Any

from muster_server import cli
from muster_server.label import new_label
from muster_server.portal.app import create_app
from muster_server.portal.service import Portal
from muster_server.tokens import new_token, token_hash
from tests.fuzz.mutation import chance, changed_bytes
from tests.fuzz.servers.asgi import App, Request, running
from tests.fuzz.servers.config_server import ConfigServer
from tests.fuzz.servers.openapi import Operations
from tests.fuzz.servers.target import Finding, check, some
from tests.host_server.config_server.field import PROFILE
from tests.host_server.serving import served


class PortalServer:
    """A portal in this process, in front of a configuration server on a port."""

    def __init__(self) -> None:
        self.token = new_token()
        self.closers = contextlib.ExitStack()
        config = ConfigServer()
        self.closers.callback(config.close)
        url = self.closers.enter_context(served(config.asgi))
        hashes = frozenset({token_hash(self.token)})
        self.asgi = create_app(Portal(url, config.token), lambda: hashes)

    def start(self) -> App:
        app = self.closers.enter_context(running(self.asgi))
        headers = {"Authorization": f"Bearer {self.token}"}
        body = json.dumps(PROFILE).encode()
        answer = app.ask(Request("POST", "/v1/profiles", headers, body))
        if answer.status != 201:
            raise Finding(f"a good profile is refused: {answer.body!r}")
        return app


class PortalAPI:
    name = "portal"

    def __init__(self) -> None:
        self._server = PortalServer()
        self._app = self._server.start()
        description = json.loads(self._app.ask(Request("GET", "/openapi.json")).body)
        labels = [new_label(f"D-{n}") for n in range(6)]
        known: dict[str, list[Any]] = {
            "device_id": [label.device_id for label in labels],
            "label": [label.qr_text for label in labels],
            "labels": [[label.qr_text for label in labels[:3]]],
            "profile": ["press"],
            "name": ["press", "other"],
            "url": [PROFILE["platform"]["url"], "https://127.0.0.1:8422"],
            "country": ["DE"],
            "psk": ["correct horse", None],
        }
        self._operations = Operations(description, known)

    def case(self) -> dict[str, Any]:
        return self._operations.request().kept()

    def play(self, case: dict[str, Any]) -> None:
        request = Request.of(case)
        request.headers.setdefault("Authorization", f"Bearer {self._server.token}")
        answer = self._app.ask(request)
        check(request, answer)
        self._operations.check(request, answer)

    def close(self) -> None:
        self._server.closers.close()


class BulkFile:
    """`muster device import`: the file, through the command, the portal and the server."""

    name = "csv"

    def __init__(self) -> None:
        self._server = PortalServer()
        closers = self._server.closers
        self._url = closers.enter_context(served(self._server.asgi))
        directory = Path(closers.enter_context(tempfile.TemporaryDirectory()))
        self._file = directory / "labels.csv"
        self._token = directory / "token"
        self._token.touch(0o600)
        self._token.write_text(self._server.token)
        labels = [new_label(f"BULK-{n}").qr_text for n in range(4)]
        rows = [f"{n},press,{label}" for n, label in enumerate(labels)]
        self._files = [
            "\n".join(labels).encode(),
            "\r\n".join(["number,model,label", *rows]).encode(),
            "\n".join(f'"{n}";"{label}"' for n, label in enumerate(labels)).encode(),
            "\n".join(f'a,"{label}"' for label in labels).encode(),
        ]

    def case(self) -> str:
        words = [b",", b'"', b"\n", b"\r", b";", b"\xef\xbb\xbf", b"\x00", b"MUSTER:1:", b"label"]
        data = changed_bytes(some(self._files), some(self._files), words)
        return (data * 40 if chance(50) else data).decode("latin-1")

    def play(self, case: str) -> None:
        self._file.write_bytes(case.encode("latin-1"))
        said, complained = io.StringIO(), io.StringIO()
        command = ["device", "import", str(self._file), "--portal", self._url]
        command += ["--token-file", str(self._token)]
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(complained):
            status = cli.main(command)
        if status not in (0, 1, 2) or "Traceback" in complained.getvalue():
            raise Finding(f"the command ends with {status}: {complained.getvalue()[:300]}")

    def close(self) -> None:
        self._server.closers.close()
