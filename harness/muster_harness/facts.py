# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Reads `boards/<NAME>.toml`: facts about a type of board, with their sources."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from muster_harness.errors import HarnessError

# In the repository a link to boards/ at its top; in an installed harness a folder.
BOARDS = Path(__file__).parent / "boards"


_SHOWN = "pin"  # the only kind of part that the firmware can use


@dataclass(frozen=True)
class Wired:
    """A button or an LED on a pin, and the level that means pressed or lit."""

    pin: int
    active: int


@dataclass(frozen=True)
class BoardFacts:
    """The facts about a type of board that the harness and the deployment need."""

    name: str  # MicroPython's board id, e.g. "ESP32_GENERIC"
    model: str
    machine: str  # sys.implementation._machine
    hostname: str  # network.hostname() before anybody sets it
    pin_count: int
    missing_pins: frozenset[int]
    input_only_pins: frozenset[int]
    button: Wired | None
    led: Wired | None
    filesystem_bytes: int
    nvs_bytes: int
    frequency_hz: int
    mcu: str  # e.g. "esp32c3"
    image_offset: int  # where in flash MicroPython's image begins, e.g. 0x1000
    usb_ids: tuple[str, ...]  # e.g. ("10c4:ea60",): of the chip itself and of usual bridges


def read_facts(source: str | Path) -> BoardFacts:
    """Read a board file, by path or by the name of one in `boards/`.

    Raises HarnessError that names the file and what is missing or wrong in it.
    """
    path = Path(source)
    if path.suffix != ".toml":
        path = BOARDS / f"{source}.toml"
    elif not path.exists() and not path.is_absolute():
        path = BOARDS.parent / path
    try:
        data = tomllib.loads(path.read_text())
    except FileNotFoundError:
        known = ", ".join(sorted(p.stem for p in BOARDS.glob("*.toml")))
        raise HarnessError(f"no board file {path}; boards/ has {known}") from None
    except (OSError, ValueError) as e:
        raise HarnessError(f"{path} cannot be read as TOML: {e}") from e
    try:
        return _facts(path.stem, data)
    except KeyError as e:
        raise HarnessError(f"{path} lacks {e.args[0]!r}; compare it with EMULATED.toml") from None
    except (TypeError, ValueError) as e:
        raise HarnessError(f"{path} has a value of the wrong type: {e}") from None


def _facts(name: str, data: dict[str, Any]) -> BoardFacts:
    pins, flash, port = data["pins"], data["flash"], data["micropython"]
    serial = data["serial"]
    return BoardFacts(
        name=name,
        model=str(data["model"]),
        machine=str(port["machine"]),
        hostname=str(port["hostname"]),
        pin_count=int(pins["count"]),
        missing_pins=frozenset(map(int, pins["missing"])),
        input_only_pins=frozenset(map(int, pins["input_only"])),
        button=_wired(data.get("button")),
        led=_wired(data.get("led")),
        filesystem_bytes=int(flash["filesystem_bytes"]),
        nvs_bytes=int(flash["nvs_bytes"]),
        frequency_hz=int(data["frequency_hz"]),
        mcu=str(data["mcu"]),
        image_offset=int(flash.get("esptool_offset", 0)),
        usb_ids=tuple(map(str, [*serial.get("usb_native", []), *serial.get("usb_bridges", [])])),
    )


# A part of another kind (a NeoPixel) is on the board, but not for the firmware.
def _wired(part: dict[str, Any] | None) -> Wired | None:
    if part is None or part.get("kind", _SHOWN) != _SHOWN:
        return None
    return Wired(int(part["pin"]), int(part["active"]))
