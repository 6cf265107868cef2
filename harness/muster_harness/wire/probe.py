# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Asks a board over its REPL for its type and content, but never for its secret."""

import json
import re
from dataclasses import dataclass
from typing import Any

from muster_harness.errors import BoardError, WrongBoard
from muster_harness.facts import BOARDS, BoardFacts, read_facts
from muster_harness.wire.repl import REPL

_PLATFORM = "esp32"
MPY_VERSION = 6  # of the .mpy files that mpy-cross makes; MicroPython 1.19 and newer read it
_MCU = re.compile(r"ESP32-?([CHPS]\d)?", re.IGNORECASE)

_QUESTIONS = """\
import gc, json, os, sys
def ask():
    gc.collect()
    it = sys.implementation
    s = os.statvfs("/")
    say = {"platform": sys.platform, "machine": getattr(it, "_machine", ""), "mpy": getattr(it, "_mpy", 0),
        "micropython": os.uname().release, "heap_free": gc.mem_free(),
        "heap_size": gc.mem_free() + gc.mem_alloc(), "files_free": s[0] * s[3],
        "files_size": s[0] * s[2], "board": None, "firmware": None, "identity": None}
    try:
        with open("/muster.json") as f:
            say["board"] = json.load(f)["board"]
    except (OSError, ValueError, KeyError):
        pass
    try:
        import muster
        say["firmware"] = muster.__version__
        from muster import hardware, identity
        who = identity.read(hardware.open_nvs("muster"))
        say["identity"] = who and [who.device_id, who.generation]
    except (ImportError, AttributeError):
        try:
            import esp32
            esp32.NVS("muster").get_blob("identity", bytearray(128))
            say["identity"] = ["", 0]
        except (ImportError, OSError):
            pass
    print(json.dumps(say))
ask()
"""  # noqa: E501 (it travels: every byte of indentation counts)


@dataclass(frozen=True)
class BoardKind:
    """A board's type in its own words."""

    platform: str  # sys.platform, e.g. "esp32"
    machine: str  # e.g. "Generic ESP32 module with ESP32"
    micropython: str  # e.g. "1.29.0"
    mpy: int  # version of the .mpy files that it reads

    @property
    def mcu(self) -> str:
        """The chip, e.g. "esp32c3"; MicroPython writes it as ESP32C3 or as ESP32-C3."""
        found = _MCU.search(self.machine.rpartition(" with ")[2])
        return "esp32" + (found[1] or "").lower() if found else ""


@dataclass(frozen=True)
class BoardInfo(BoardKind):
    """A board's answers. Sizes are bytes."""

    heap_free: int
    heap_size: int
    files_free: int
    files_size: int
    board: str | None  # the board file that the firmware was deployed with
    firmware: str | None  # Muster's version, None without it
    device_id: str | None  # None without an identity; "" if only the firmware could read it
    generation: int


def probe(repl: REPL) -> BoardInfo:
    """Ask the board. Raises BoardError if it answers otherwise than MicroPython does."""
    lines = repl.exec(_QUESTIONS).strip().splitlines()
    try:
        said: dict[str, Any] = json.loads(lines[-1])
        identity = said.pop("identity") or [None, 0]
        said["mpy"] &= 0xFF
        return BoardInfo(**said, device_id=identity[0], generation=identity[1])
    except (ValueError, KeyError, TypeError, IndexError):
        raise BoardError(
            "the board's answers are not understood; is its MicroPython older than 1.20?"
        ) from None


def guess_board(info: BoardKind) -> BoardFacts | None:
    """Return the board file that fits best: that of this very board, else the generic one of its
    chip."""
    known = [read_facts(path) for path in sorted(BOARDS.glob("*.toml"))]
    for facts in known:
        if _name(facts.machine) == _name(info.machine):
            return facts
    generic = [f for f in known if f.name.startswith("ESP32_GENERIC") and f.mcu == info.mcu]
    return generic[0] if generic else None


def check_board(info: BoardKind, facts: BoardFacts, form: str) -> str | None:
    """Check that the firmware can run there, and return a warning or None.

    Raises WrongBoard if it cannot.
    """
    if info.platform != _PLATFORM:
        raise WrongBoard(
            f"the firmware is for ESP32 boards, and this one is a {info.platform!r} "
            f"({info.machine}); choose another port (muster-unit list)"
        )
    if facts.mcu != info.mcu:
        raise WrongBoard(
            f"{facts.name} is a board with {facts.mcu}, and this one is a {info.machine!r}; leave "
            "--board out to have it recognised, or choose another port"
        )
    if form == "mpy" and info.mpy != MPY_VERSION:
        raise WrongBoard(
            f"MicroPython {info.micropython} reads .mpy files of version {info.mpy}, and these "
            f"have {MPY_VERSION}; update the board's MicroPython, or deploy with --form py"
        )
    if _name(facts.machine) != _name(info.machine):
        return (
            f"{facts.name} is a {_name(facts.machine)!r}, the board says "
            f"{_name(info.machine)!r}: check that button and LED are on the same pins"
        )
    return None


# "Generic ESP32 module with SPIRAM with ESP32" and its kin are boards of one name.
def _name(machine: str) -> str:
    return machine.partition(" with ")[0]
