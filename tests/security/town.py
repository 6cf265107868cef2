# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The town that is attacked: three servers in a process of their own, an owner, devices."""

import base64
import hashlib
import json
import secrets
import shutil
from pathlib import Path
from typing import Any

from tests import secrecy
from tests.host_server.processes import QUIET, Servers, start
from tests.security.attacker import Answer, Device, ask

PASSWORD = "correct horse battery"


def new_label(device_id: str | None = None) -> str:
    """A label's text, made as docs/protocol.md says."""
    device_id = device_id or f"PRESS-{secrets.randbelow(10**9)}"
    secret = secrets.token_bytes(20)
    check = base64.b32encode(hashlib.sha256(device_id.encode() + secret).digest())[:4]
    text = f"MUSTER:1:{device_id}:{(base64.b32encode(secret) + check).decode()}"
    secrecy.hide_label(text, secret)
    return text


class Town:
    """The servers on one data directory; they can be stopped and started again."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.data = folder / "data"
        self._token_file = folder / "token"
        self._options = options
        self.log = ""
        self.start()

    def start(self) -> None:
        listens = ("portal", "config", "platform")
        ports = [word for role in listens for word in (f"--{role}-listen", "127.0.0.1:0")]
        options = ["--admin-token-file", str(self._token_file), *ports, *QUIET, *self._options]
        self._servers: Servers = start(self.data, *options)
        self.urls = self._servers.urls
        for name in ("config-token", "platform-token"):
            secrecy.hide((self.data / name).read_text().strip())

    def stop(self) -> None:
        code, out, err = self._servers.stop()
        self.log += out + err
        assert code == 0

    @property
    def administrator(self) -> str:
        """The token of the portal's administrator."""
        return self._token_file.read_text().strip()

    def owner(self, method: str, path: str, document: Any = None) -> Answer:
        """A request of the owner to the portal."""
        headers = {"Authorization": f"Bearer {self.administrator}"}
        body = None if document is None else json.dumps(document).encode()
        return ask(self.urls["portal"] + path, method, body, headers)

    def add_profile(self, name: str = "press", **changes: Any) -> None:
        document = self.profile(name) | changes
        assert self.owner("PUT", f"/v1/profiles/{name}", document).status == 200

    def profile(self, name: str = "press") -> dict[str, Any]:
        """A profile of this town's platform."""
        secrecy.hide(PASSWORD)
        return {
            "name": name,
            "networks": [{"ssid": "factory", "psk": PASSWORD}],
            "platform": {
                "url": self.urls["platform"],
                "cse": "cse-in",
                "api": "Norg.example.press",
                "insecure": True,
            },
            "country": "DE",
        }

    def registered(self, label: str | None = None, source: str = "127.0.0.1") -> Device:
        """A device whose label its owner has typed at the portal."""
        label = label or new_label()
        typed = {"label": label, "profile": "press", "name": "press 4"}
        assert self.owner("POST", "/v1/devices", typed).status == 201
        return Device(self.urls["config"], label, source)

    def shown(self, device: Device) -> dict[str, Any]:
        """Return what the owner sees."""
        answer = self.owner("GET", f"/v1/devices/{device.id}")
        assert answer.status == 200, answer.body
        shown: dict[str, Any] = answer.json()
        return shown

    def release(self, device: Device) -> None:
        assert self.owner("DELETE", f"/v1/devices/{device.id}").status == 204

    def saved(self, folder: Path) -> Path:
        """A copy of the data directory. Stop the servers first."""
        shutil.copytree(self.data, folder)
        return folder

    def restore(self, saved: Path) -> None:
        """The copy's databases take the place of the town's."""
        for file in self.data.glob("*.sqlite*"):
            file.unlink()
        for file in saved.glob("*.sqlite*"):
            shutil.copy2(file, self.data)
