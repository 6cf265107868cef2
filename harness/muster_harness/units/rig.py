# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""One person's rig: which units there are, how they are reached and wired, and the networks around
them. It holds ports and passwords, so git ignores it (rig.toml).

```toml
[unit.press]                               # as many as there are; the name is yours
port = "id:0001"                           # path, USB serial number, socket:// or rfc2217://
button = { unit = "helper", pin = 4, active = 0, releases = true }
led = { unit = "helper", pin = 5, active = 1 }
power = { on = ["uhubctl", "-l", "1-1", "-a", "on"], off = ["uhubctl", "-l", "1-1", "-a", "off"] }

[unit.helper]                              # any board with MicroPython
port = "/dev/ttyACM0"

[network.factory]
ssid = "factory"
password = "…"                             # none: open
address = "192.168.1.10"                   # of this machine on it
```
"""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from muster_harness.errors import RigError

T = TypeVar("T")


@dataclass(frozen=True)
class Network:
    """A Wi-Fi network as a board joins it, and this machine's address on it."""

    name: str  # what tests call it
    ssid: str
    password: str | None = field(repr=False)
    address: str  # e.g. "192.168.1.10"


@dataclass(frozen=True)
class Wire:
    """A pin of the helping unit."""

    unit: str
    pin: int
    active: int = 1
    releases: bool = False


@dataclass(frozen=True)
class Commands:
    """Two programs, with their arguments."""

    on: tuple[str, ...]
    off: tuple[str, ...]


@dataclass(frozen=True)
class Entry:
    """One unit of the rig."""

    name: str
    port: str
    button: Wire | Commands | None = None
    power: Wire | Commands | None = None
    led: Wire | None = None

    @property
    def is_wired(self) -> bool:
        return not (self.button is self.power is self.led is None)


@dataclass(frozen=True)
class Rig:
    """All of a rig file."""

    path: Path
    units: dict[str, Entry]
    networks: dict[str, Network]

    @property
    def under_test(self) -> tuple[str, ...]:
        """The units that help no other one."""
        helping = {
            part.unit
            for entry in self.units.values()
            for part in (entry.button, entry.power, entry.led)
            if isinstance(part, Wire)
        }
        return tuple(name for name in self.units if name not in helping)


def read_rig(path: Path) -> Rig:
    """Read a rig file.

    Raises RigError with the file, the place in it and the form wanted there.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RigError(f"there is no rig file {path}; harness/README.md shows one") from None
    except (OSError, ValueError) as e:
        raise RigError(f"{path} cannot be read as TOML: {e}") from e
    try:
        top = _Table("", data, ("unit", "network"))
        units = {n: _entry(n, t) for n, t in top.tables("unit").items()}
        networks = {n: _network(n, t) for n, t in top.tables("network").items()}
        _check_helpers(units)
    except _Wrong as e:
        raise RigError(f"{path}: {e}; harness/README.md shows a rig file") from None
    return Rig(path, units, networks)


class _Wrong(Exception):
    """A mistake in the file, without the file's name."""


class _Table:
    """A table of the file; each value is asked for by its kind."""

    def __init__(self, where: str, data: Any, known: tuple[str, ...]) -> None:
        if not isinstance(data, dict):
            raise _Wrong(f"[{where}] is a table, not {_kind(data)}")
        for key in data:
            if key not in known:
                place = f"[{where}] knows no" if where else "there is no table"
                raise _Wrong(f"{place} {key!r}, only {', '.join(known)}")
        self.where = where
        self._data = data

    def tables(self, key: str) -> dict[str, Any]:
        found = self._data.get(key, {})
        if not isinstance(found, dict):
            raise _Wrong(f"[{key}.NAME] are tables, not {_kind(found)}")
        return found

    def text(self, key: str) -> str:
        value = self._get(key)
        if not isinstance(value, str) or not value:
            raise _Wrong(f"[{self.where}] {key} is a text, not {_kind(value)}")
        return value

    def secret(self, key: str) -> str | None:
        value = self._data.get(key)
        if value is not None and (not isinstance(value, str) or not 8 <= len(value) <= 64):
            raise _Wrong(f"[{self.where}] {key} is a text of 8 to 64 characters")
        return value

    def number(self, key: str, default: int | None = None) -> int:
        value = self._get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise _Wrong(f"[{self.where}] {key} is a number, not {value!r}")
        return value

    def flag(self, key: str) -> bool:
        value = self._data.get(key, False)
        if not isinstance(value, bool):
            raise _Wrong(f"[{self.where}] {key} is true or false, not {value!r}")
        return value

    def words(self, key: str) -> tuple[str, ...]:
        value = self._get(key)
        if not isinstance(value, list) or not value or not all(isinstance(w, str) for w in value):
            raise _Wrong(f'[{self.where}] {key} is a command, e.g. ["relay", "on"]')
        return tuple(value)

    def part(self, key: str, make: Callable[[str, Any], T]) -> T | None:
        return make(f"{self.where}.{key}", self._data[key]) if key in self._data else None

    def _get(self, key: str, default: Any = None) -> Any:
        value = self._data.get(key, default)
        if value is None:
            raise _Wrong(f"[{self.where}] lacks {key!r}")
        return value


def _kind(value: object) -> str:
    """Return the kind of a value in a word: the value itself may hold passwords."""
    if value == "":
        return "an empty text"
    kinds = {dict: "a table", list: "a list", str: "a text", bool: "true or false"}
    return kinds.get(type(value), "a number or a date")


def _entry(name: str, data: Any) -> Entry:
    table = _Table(f"unit.{name}", data, ("port", "button", "power", "led"))
    return Entry(
        name,
        table.text("port"),
        button=table.part("button", _switch),
        power=table.part("power", _switch),
        led=table.part("led", _wire),
    )


def _switch(where: str, data: Any) -> Wire | Commands:
    if isinstance(data, dict) and "on" in data:
        table = _Table(where, data, ("on", "off"))
        return Commands(table.words("on"), table.words("off"))
    return _wire(where, data)


def _wire(where: str, data: Any) -> Wire:
    table = _Table(where, data, ("unit", "pin", "active", "releases"))
    active = table.number("active", 1)
    if active > 1:
        raise _Wrong(f"[{where}] active is 0 or 1, not {active}")
    return Wire(table.text("unit"), table.number("pin"), active, table.flag("releases"))


def _network(name: str, data: Any) -> Network:
    table = _Table(f"network.{name}", data, ("ssid", "password", "address"))
    return Network(name, table.text("ssid"), table.secret("password"), table.text("address"))


def _check_helpers(units: dict[str, Entry]) -> None:
    for entry in units.values():
        for word in ("button", "power", "led"):
            part = getattr(entry, word)
            if isinstance(part, Wire) and (part.unit not in units or part.unit == entry.name):
                others = [name for name in units if name != entry.name]
                raise _Wrong(
                    f"[unit.{entry.name}] {word} is wired to {part.unit!r}, which is no other "
                    f"unit of the rig; there are {', '.join(others) or 'none'}"
                )
            if isinstance(part, Wire) and units[part.unit].is_wired:
                raise _Wrong(
                    f"[unit.{entry.name}] {word} is wired to {part.unit!r}, which is wired "
                    "itself; a helping unit has neither button nor power nor led"
                )
