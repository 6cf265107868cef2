# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The tools of an attacker, written from docs/protocol.md alone.

Nothing here is the product's: keys come from `cryptography`, the handshake from `noiseprotocol`,
requests from `http.client`. A test holds that.
"""

import base64
import http.client
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from noise.connection import NoiseConnection

_NOISE = b"Noise_NNpsk0_25519_ChaChaPoly_SHA256"
_TIMEOUT_S = 30.0
_REPORT: dict[str, Any] = {
    "v": 1,
    "echo": None,
    "config": 0,
    "state": "blank",
    "model": "press",
    "board": "ESP32_GENERIC",
    "firmware": "0.1.0",
    "micropython": "1.29.0",
    "reset_cause": "power_on",
    "hw": "30aea4000102",
    "heap": [[60000, 30000], [100000, 50000]],
    "scan": [],
    "last": None,
    "timeline": [],
}


@dataclass(frozen=True)
class Answer:
    """An answer over HTTP; the names of its headers are in small letters."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def ask(
    url: str,
    method: str = "GET",
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
    source: str = "127.0.0.1",
) -> Answer:
    """One request from this address; headers and path go out as they are."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(
        parts.hostname or "", parts.port, timeout=_TIMEOUT_S, source_address=(source, 0)
    )
    try:
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, path or "/", body, headers or {})
        answer = connection.getresponse()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, headers, answer.read())
    finally:
        connection.close()


def secret_of(label: str) -> tuple[str, bytes]:
    """Return id and secret of a label's text."""
    _, _, device_id, typed = label.split(":")
    return device_id, base64.b32decode(typed[:32])


def derived(secret: bytes, purpose: str, device_id: str) -> bytes:
    """The key for one purpose."""
    info = purpose.encode() + b"\0" + device_id.encode()
    return HKDF(SHA256(), 32, b"muster/1", info).derive(secret)


def handshake(device_id: str, k: str, psk: bytes, *, is_device: bool = True) -> NoiseConnection:
    """Either side of the exchange."""
    noise = NoiseConnection.from_name(_NOISE)
    noise.set_prologue(f"muster/1/{device_id}/{k}")
    noise.set_psks(psks=[psk])
    if is_device:
        noise.set_as_initiator()
    else:
        noise.set_as_responder()
    noise.start_handshake()
    return noise


def opens(noise: NoiseConnection, message: bytes) -> bytes | None:
    """The payload, if this side of the exchange can read the message."""
    try:
        return bytes(noise.read_message(message))
    except InvalidTag:
        return None


@dataclass
class Device:
    """Speaks as the device does, for whoever knows a label or the keys of a version."""

    server: str
    label: str = field(repr=False)
    source: str = "127.0.0.1"
    echo: str | None = None
    keys: dict[str, bytes] = field(default_factory=dict, repr=False)
    configs: dict[int, dict[str, Any]] = field(default_factory=dict, repr=False)
    sent: bytes = field(default=b"", repr=False)  # message 1, as a listener has it
    received: Answer | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.id, secret = secret_of(self.label)
        self.keys["label"] = derived(secret, "sync-psk", self.id)

    def send(self, k: str, message: bytes, source: str | None = None) -> Answer:
        """Any bytes as message 1."""
        url = f"{self.server}/v1/devices/{self.id}/sync?k={k}"
        headers = {"Content-Type": "application/octet-stream"}
        return ask(url, "POST", message, headers, source or self.source)

    def sync(self, k: str = "label", **report: Any) -> dict[str, Any]:
        """One exchange; what the server directs. AssertionError if it refuses."""
        noise = handshake(self.id, k, self.keys[k])
        document = json.dumps(_REPORT | {"echo": self.echo} | report)
        self.sent = bytes(noise.write_message(document.encode()))
        self.received = self.send(k, self.sent)
        assert self.received.status == 200, self.received.body
        payload = opens(noise, self.received.body)
        assert payload is not None
        directive: dict[str, Any] = json.loads(payload)
        self.echo = directive["nonce"]
        if "config" in directive:
            config = directive["config"]
            self.configs[config["version"]] = config
            self.keys[str(config["version"])] = base64.b64decode(config["config_server"]["key"])
        return directive

    def onboard(self) -> int:
        """Fetch a configuration, and confirm it: its version."""
        version = int(self.sync()["config"]["version"])
        self.sync(str(version), state="trial")
        return version
