# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The firmware that this portal puts onto boards from a browser: a folder that `muster-unit pack`
has written, read once at the start.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from muster_server.errors import SettingsError

_DESCRIPTION = "firmware.json"
_FORMAT = 1
_MOST_BYTES = 2 * 1024 * 1024
_MOST_IMAGE_BYTES = 16 * 1024 * 1024  # the largest flash that MicroPython's boards have
_MAGIC = b"\xe9"  # of an image: esptool documentation, "Firmware Image Format"
_BOARD = re.compile(r"[A-Z0-9][A-Z0-9_]{0,63}")
_PARTS = ("files", "boards", "mpy", "put", "look", "staged", "exchange")


@dataclass(frozen=True)
class FirmwareKit:
    """A firmware's files for a browser, and MicroPython's images by board."""

    description: bytes = field(repr=False)  # firmware.json as it is
    boards: Mapping[str, str]  # what each calls itself, by its name
    images: Mapping[str, bytes] = field(repr=False)

    @cached_property
    def digest(self) -> str:
        """Another one with each content: a browser keeps what it has by this."""
        seen = hashlib.sha256(self.description)
        for name in sorted(self.images):
            seen.update(name.encode() + hashlib.sha256(self.images[name]).digest())
        return seen.hexdigest()[:12]


def read_kit(folder: Path | None) -> FirmwareKit | None:
    """Read the folder; None if there is none. Raises SettingsError that names what is wrong."""
    if folder is None:
        return None
    description = _content(folder / _DESCRIPTION, _MOST_BYTES)
    boards = _boards_in(folder, description)
    images = {}
    for file in sorted(folder.glob("*.bin")):
        if file.stem not in boards:
            raise _wrong(file, f"no board of {_DESCRIPTION} has this name")
        images[file.stem] = _content(file, _MOST_IMAGE_BYTES)
        if not images[file.stem].startswith(_MAGIC):
            raise _wrong(file, "this is no image of an ESP32")
    return FirmwareKit(description, boards, images)


def _boards_in(folder: Path, description: bytes) -> dict[str, str]:
    path = folder / _DESCRIPTION
    try:
        document: dict[str, Any] = json.loads(description)
        number, absent = document["muster_firmware"], [n for n in _PARTS if n not in document]
        boards = {str(name): str(board["machine"]) for name, board in document["boards"].items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        raise _wrong(path, "not as muster-unit pack writes it") from None
    if number != _FORMAT or absent:
        raise _wrong(path, "of another version of muster-unit pack; pack it anew")
    if not boards or not all(map(_BOARD.fullmatch, boards)):
        raise _wrong(path, "it names no boards, or a strange one")
    return boards


def _content(path: Path, most_bytes: int) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(most_bytes + 1)
    except OSError as error:
        raise _wrong(path, f"{error.strerror}; muster-unit pack writes it") from None
    if len(content) > most_bytes:
        raise _wrong(path, f"more than {most_bytes} bytes")
    return content


def _wrong(path: Path, reason: str) -> SettingsError:
    return SettingsError(f"--firmware: {path}: {reason}")
