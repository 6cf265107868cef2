# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Names of Wi-Fi networks: any 32 bytes, as people are shown them and give them back."""

from base64 import b64decode, b64encode
from typing import Any

_MARK = "base64:"


def shown(raw: bytes) -> str:
    """Return the name as text if it is printable UTF-8, else as "base64:Qvxybw=="."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = ""
    if raw and (not text.isprintable() or not text or text.startswith(_MARK)):
        return _MARK + b64encode(raw).decode()
    return text


def raw(name: str) -> bytes:
    """Return the bytes of a name as it is shown."""
    if not name.startswith(_MARK):
        return name.encode()
    return b64decode(name.removeprefix(_MARK))


def name_of(network: dict[str, Any]) -> str:
    """Return the name of a configuration's network as it is shown."""
    if "ssid_b64" in network:
        return shown(b64decode(network["ssid_b64"]))
    return shown(network["ssid"].encode())


def accepted(network: dict[str, Any]) -> dict[str, Any]:
    """Return a profile's network with a name that was given back as it is shown, as `ssid_b64`."""
    name = network.get("ssid")
    if not isinstance(name, str) or not name.startswith(_MARK) or "ssid_b64" in network:
        return network
    rest = {field: value for field, value in network.items() if field != "ssid"}
    return {"ssid_b64": name.removeprefix(_MARK), **rest}
