# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A folder in which everything that docs/wrong-inputs.md types goes wrong as it says there."""

import json
from pathlib import Path

from tests.host_server.config_server.field import PROFILE

# Files by name; a mode of 0600 where secrets are kept.
_TEXTS = {
    "short.txt": "short\n",
    "wifi.txt": "correct horse\n",
    "broken.toml": 'name = "press"\n[[networks]\n',
    "notes.txt": "buy milk\n",
    "empty.csv": "name,label\n",
    "air.toml": "[[point]]\nssid = 3\n",
}
EDITORS = {
    "rubbish": "printf 'not a profile' > \"$1\"",
    "breaks": "exit 3",
    "empties": ': > "$1"',
}
INIT = (
    "muster init --data new --address 127.0.0.5 --ssid factory --password-file wifi.txt "
    "--platform own --country DE"
)


def fill(folder: Path, label: str, other: str, platform_url: str) -> None:
    """Write the files; `label` and `other` are of devices that nobody has registered."""
    for name, text in _TEXTS.items():
        _write(folder / name, text)
    spoilt = label[:-1] + ("A" if label[-1] != "A" else "C")
    _write(folder / "label.txt", label)
    _write(folder / "mistyped.txt", spoilt)
    _write(folder / "labels.csv", f"name;label\n1;{label}\n2;{spoilt}\n3;{other}\n")
    (folder / "latin.csv").write_bytes("name;label\nPresse süß;x\n".encode("latin-1"))
    (folder / "open.txt").write_text("correct horse\n")
    (folder / "open.txt").chmod(0o644)
    (folder / "set-up").mkdir(mode=0o700)
    _write(folder / "set-up" / "settings.toml", 'platform-listen = "127.0.0.1:8422"\n')
    (folder / "readable").mkdir()
    (folder / "readable").chmod(0o755)
    _write(folder / "readable" / "file", "")
    for name, changes in _profiles(platform_url).items():
        _write(folder / f"{name}.json", json.dumps(PROFILE | changes))
    for name, line in EDITORS.items():
        _write(folder / name, f"#!/bin/sh\n{line}\n", 0o700)


def _profiles(platform_url: str) -> dict[str, dict[str, object]]:
    platform = {**PROFILE["platform"], "url": platform_url}
    return {
        "unknown": {"contry": "DE"},
        "wrong": {"country": "Germany", "networks": [{"ssid": "", "psk": "short"}]},
        "cse": {"platform": {**platform, "cse": "cse-wrong"}},
        "elsewhere": {"platform": {**platform, "url": platform_url.replace("http", "ftp")}},
        "press": {"platform": platform},
    }


def _write(path: Path, text: str, mode: int = 0o600) -> None:
    path.touch(mode)
    path.write_text(text)
