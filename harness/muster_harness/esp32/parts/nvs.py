# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Non-volatile storage (`esp32.NVS`) with ESP-IDF's limits and error numbers.

Sizes follow the NVS library's format: 4096-byte pages of 126 entries of 32 bytes, one page kept
free. When `set_*` returns, the value is on flash, and a power cut keeps it. A cut in the middle of
a write leaves the former value: an entry counts only once its state bits are written.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from muster_harness.control import Refusal, machine_word
from muster_harness.errors import HarnessError
from muster_harness.esp32.parts.flash import How

_NAME_BYTES = 15
_ENTRIES_PER_PAGE = 126
_MAX_NAMESPACES = 254
# esp-idf: nvs.h, ESP_ERR_NVS_BASE 0x1100
_ERRORS = {
    "NOT_FOUND": 0x1102,
    "NOT_ENOUGH_SPACE": 0x1105,
    "INVALID_NAME": 0x1106,
    "KEY_TOO_LONG": 0x1109,
    "INVALID_LENGTH": 0x110C,
    "VALUE_TOO_LONG": 0x110E,
}


def _refuse(name: str) -> Refusal:
    return Refusal("OSError", -_ERRORS[name], f"ESP_ERR_NVS_{name}")


class PowerCut(Exception):
    """The power is to go in this very write."""


class NVS:
    """Namespaces of i32 and blob values, kept in a file.

    `operation` counts a write, and gets the whole content after it; the result says how the power
    is cut in it.
    """

    def __init__(self, path: Path, size_bytes: int, operation: Callable[[bytes], How | None]):
        self._path = path
        self._operation = operation
        self._capacity = (size_bytes // 4096 - 1) * _ENTRIES_PER_PAGE
        self._writes_left: int | None = None  # before it is worn out
        self._load()

    def _load(self) -> None:
        self._values: dict[str, dict[str, int | str]] = {}  # blobs as hex
        if not self._path.exists():
            return
        try:
            values = json.loads(self._path.read_text())
        except ValueError:
            values = None
        if not isinstance(values, dict) or not all(isinstance(v, dict) for v in values.values()):
            raise HarnessError(
                f"{self._path} is damaged: it holds the board's NVS as a JSON object of objects; "
                "mend it, or remove it to start with an empty NVS"
            )
        self._values = values

    def erase(self) -> None:
        self.write(b"{}")

    def read(self) -> bytes:
        """Return the whole content, in a form that `write` takes."""
        return json.dumps(self._values).encode()

    def write(self, content: bytes) -> None:
        """Replace the whole content."""
        made = self._path.with_suffix(".new")
        made.touch(mode=0o600)
        made.write_bytes(content)
        made.replace(self._path)
        self._load()

    def wear_out(self, writes: int) -> None:
        """Let the storage have no free page after so many more writes: they fail, and see
        `start`."""
        self._writes_left = writes

    def start(self) -> None:
        """Begin with the chip.

        Without a free page MicroPython's main.c erases everything silently.
        """
        if self._writes_left == 0:
            self._writes_left = None
            self.erase()

    def ask(self, namespace: str, verb: str, *arguments: Any) -> Any:
        if not namespace or len(namespace.encode()) > _NAME_BYTES:
            raise _refuse("KEY_TOO_LONG" if namespace else "INVALID_NAME")
        if verb == "open":
            return self._open(namespace)
        if verb == "commit":
            return None
        key = arguments[0]
        if not key or len(key.encode()) > _NAME_BYTES:
            raise _refuse("KEY_TOO_LONG" if key else "INVALID_NAME")
        values = self._values.setdefault(namespace, {})
        return getattr(self, f"_{verb}")(values, *arguments)

    def _open(self, namespace: str) -> None:
        if namespace not in self._values:
            if len(self._values) >= _MAX_NAMESPACES:
                raise _refuse("NOT_ENOUGH_SPACE")
            self._values[namespace] = {}
            self._save()

    def _get(self, values: dict[str, int | str], key: str, kind: type) -> Any:
        # the library looks a key up together with its type, so a wrong type is "not found"
        if key not in values or not isinstance(values[key], kind):
            raise _refuse("NOT_FOUND")
        return values[key]

    def _get_i32(self, values: dict[str, int | str], key: str) -> int:
        return int(self._get(values, key, int))

    def _get_blob(self, values: dict[str, int | str], key: str, room: int) -> str:
        data = str(self._get(values, key, str))
        if len(data) // 2 > room:
            raise _refuse("INVALID_LENGTH")
        return data

    def _set_i32(self, values: dict[str, int | str], key: str, value: int) -> None:
        self._put(values, key, machine_word(value))

    def _set_blob(self, values: dict[str, int | str], key: str, data: str) -> None:
        if len(data) // 2 > min(508000, int(self._capacity * 32 * 0.976)):
            raise _refuse("VALUE_TOO_LONG")
        self._put(values, key, data)

    def _put(self, values: dict[str, int | str], key: str, value: int | str) -> None:
        # the new value is written before the old one is erased
        if self._writes_left == 0 or self._used() + _entries(value) > self._capacity:
            raise _refuse("NOT_ENOUGH_SPACE")
        values[key] = value
        self._save()

    def _erase_key(self, values: dict[str, int | str], key: str) -> None:
        if key not in values:
            raise _refuse("NOT_FOUND")
        del values[key]
        self._save()

    def _used(self) -> int:
        stored = (value for values in self._values.values() for value in values.values())
        return len(self._values) + sum(_entries(value) for value in stored)

    def _save(self) -> None:
        content = self.read()
        cut = self._operation(content)
        if cut in (None, "after"):
            self.write(content)
        if cut is not None:
            self._load()
            raise PowerCut
        if self._writes_left:
            self._writes_left -= 1


def _entries(value: int | str) -> int:
    # a blob: one index entry, one header per chunk, 32 bytes per entry
    return 1 if isinstance(value, int) else 2 + (len(value) // 2 + 31) // 32
