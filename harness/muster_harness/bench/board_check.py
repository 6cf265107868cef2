# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Finds everything that is wrong with a board file before a board is tried with it."""

import re
import tomllib
from pathlib import Path
from typing import Any

from muster_harness.errors import HarnessError
from muster_harness.facts import read_facts

_BOARD_ID = re.compile(r"[A-Za-z0-9]+(_[A-Za-z0-9]+)+")
_USB_ID = re.compile(r"[0-9a-f]{4}:[0-9a-f]{4}")
_KINDS = ("pin", "neopixel")
_SECTOR = 4096
# Where the ROM looks for the boot loader (esptool's documentation of each chip).
_OFFSETS = {"esp32": 0x1000, "esp32s2": 0x1000}
_OTHER_OFFSET = 0


def problems(path: Path) -> list[str]:
    """Return what has to be changed in the file; an empty list means that a board may be tried."""
    try:
        facts = read_facts(path)
        text = path.read_text()
        data = tomllib.loads(text)
        found = [] if _BOARD_ID.fullmatch(facts.name) else [_bad_name(facts.name)]
        for part in ("button", "led"):
            if part in data:
                found += [f"[{part}] {why}" for why in _part(part, data[part], data["pins"])]
        found += _flash(data["flash"], facts.mcu)
        found += _serial(data["serial"])
    except HarnessError as e:
        return [str(e)]
    except KeyError as e:
        return [*found, f"{e.args[0]!r} is missing; compare the file with ESP32_GENERIC.toml"]
    except (TypeError, ValueError, AttributeError) as e:
        return [*found, f"a value is of the wrong type: {e}"]
    if "source:" not in text:
        found.append("no fact has its source; write `# source: …` behind each")
    if not data["micropython"].get("image"):
        found.append("[micropython] image is missing: the page to download MicroPython from")
    return found


def _bad_name(name: str) -> str:
    return f"the file is called {name}, and wants MicroPython's board id, e.g. ESP32_GENERIC_S3"


def _part(name: str, part: dict[str, Any], pins: dict[str, Any]) -> list[str]:
    kind, pin = part.get("kind", "pin"), int(part["pin"])
    found = []
    if kind not in _KINDS:
        found.append(f'kind is "{kind}", and may be {" or ".join(_KINDS)}')
    if not 0 <= pin < int(pins["count"]):
        found.append(f"pin {pin} is none of the {pins['count']} pins")
    for group in ("missing", "flash_pins"):
        if pin in pins.get(group, []):
            found.append(f"pin {pin} stands in pins.{group}")
    if name == "led" and pin in pins["input_only"]:
        found.append(f"pin {pin} can only be an input")
    if kind == "pin" and part["active"] not in (0, 1):
        found.append(f"active is {part['active']!r}, and may be 0 or 1")
    if name == "button" and kind != "pin":
        found.append('a button is of kind "pin"')
    return found


def _flash(flash: dict[str, Any], mcu: str) -> list[str]:
    found = [
        f"[flash] {name} is no multiple of {_SECTOR}"
        for name in ("size_bytes", "filesystem_bytes", "nvs_bytes")
        if int(flash[name]) % _SECTOR
    ]
    wanted = _OFFSETS.get(mcu, _OTHER_OFFSET)
    if int(flash["esptool_offset"]) != wanted:
        found.append(f"[flash] esptool_offset is {wanted:#x} on an {mcu}")
    if int(flash["filesystem_bytes"]) >= int(flash["size_bytes"]):
        found.append("[flash] filesystem_bytes leaves no room for MicroPython")
    return found


def _serial(serial: dict[str, Any]) -> list[str]:
    ids = [*serial.get("usb_bridges", []), *serial.get("usb_native", [])]
    found = [
        f'[serial] "{usb_id}" is no USB id, e.g. "10c4:ea60"'
        for usb_id in ids
        if not _USB_ID.fullmatch(usb_id)
    ]
    return found if ids else [*found, "[serial] names no USB id, so no port can be recognised"]
