#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`nmcli` without NetworkManager: prints and exits as nmcli does (its own test suite's expected
outputs, src/tests/client/test-client.check-on-disk, and nmcli(1)), on a state that is a file.

$FAKE_NMCLI is the directory of state.json and calls.jsonl. "fail" in the state maps the start of
a command, e.g. "connection up id", to [exit code, what it complains].
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

_PLACE = Path(os.environ["FAKE_NMCLI"])
_NOT_FOUND = 10


def main(words: list[str]) -> int:
    state = json.loads((_PLACE / "state.json").read_text())
    with (_PLACE / "calls.jsonl").open("a") as calls:
        calls.write(json.dumps(words) + "\n")
    while words[0] in ("-t", "-f", "--wait"):
        words = words[1:] if words[0] == "-t" else words[2:]
    command = " ".join(words)
    for start, (code, complaint) in state["fail"].items():
        if command.startswith(start):
            time.sleep(state["hang_s"])
            print(complaint, file=sys.stderr)
            return int(code)
    code = _COMMANDS[" ".join(words[:2])](state, words[2:])
    (_PLACE / "state.json").write_text(json.dumps(state))
    return code


def _permissions(state: dict[str, Any], words: list[str]) -> int:
    for name, value in state["permissions"].items():
        print(f"org.freedesktop.NetworkManager.{name}:{value}")
    return 0


def _status(state: dict[str, Any], words: list[str]) -> int:
    for name, device in state["devices"].items():
        print(f"{name}:{device['type']}")
    return 0


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace(":", "\\:")


def _show(state: dict[str, Any], words: list[str]) -> int:
    if words == []:
        for name in state["connections"].values():
            print(_escaped(name))
        return 0
    device = state["devices"][words[0]]
    uuid = device["active"]
    print(f"GENERAL.DEVICE:{words[0]}\nGENERAL.TYPE:wifi\nGENERAL.HWADDR:13:E0:74:85:7C:D9")
    print(f"GENERAL.STATE:{device['state']}")
    print(f"GENERAL.CONNECTION:{state['connections'].get(uuid, '')}")
    print(f"GENERAL.CON-UUID:{uuid or ''}")
    print(f"WIFI-PROPERTIES.WPA2:yes\nWIFI-PROPERTIES.AP:{device['ap']}")
    if uuid:
        print(f"IP4.ADDRESS[1]:{device['address']}/24\nIP4.GATEWAY:--")
    return 0


def _add(state: dict[str, Any], words: list[str]) -> int:
    name = words[words.index("con-name") + 1]
    uuid = "6dd7e0d5-0b5a-4d9b-9d1f-5b9b7d0f1a2b"
    state["connections"][uuid] = name
    print(f"Connection '{name}' ({uuid}) successfully added.")
    return 0


def _up(state: dict[str, Any], words: list[str]) -> int:
    kind, which, _, device = words[:4]
    found = [u for u, n in state["connections"].items() if which == (u if kind == "uuid" else n)]
    if not found:
        print(f"Error: unknown connection '{which}'.", file=sys.stderr)
        return _NOT_FOUND
    if "passwd-file" in words:
        state["passwords"] = Path(words[words.index("passwd-file") + 1]).read_text()
    state["devices"][device] |= {"active": found[0], "state": "100 (connected)"}
    path = "/org/freedesktop/NetworkManager/ActiveConnection/7"
    print(f"Connection successfully activated (D-Bus active path: {path})")
    return 0


def _delete(state: dict[str, Any], words: list[str]) -> int:
    found = [u for u, n in state["connections"].items() if n == words[1]]
    if not found:
        print(f"Error: unknown connection '{words[1]}'.", file=sys.stderr)
        print("Error: cannot delete unknown connection(s): id.", file=sys.stderr)
        return _NOT_FOUND
    for device in state["devices"].values():
        if device.get("active") == found[0]:
            device |= {"active": None, "state": "30 (disconnected)"}
    print(f"Connection '{state['connections'].pop(found[0])}' ({found[0]}) successfully deleted.")
    return 0


_COMMANDS = {
    "general permissions": _permissions,
    "device status": _status,
    "device show": _show,
    "connection show": _show,
    "connection add": _add,
    "connection up": _up,
    "connection delete": _delete,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
