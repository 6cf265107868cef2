# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The parts of a board that few programs use: each is loaded and made when a program asks it."""

import importlib
from typing import Any, Protocol

# By the verb of the control channel: file in seldom/, and class.
_KINDS = {
    "ble": ("bluetooth", "Bluetooth"),
    "cover": ("cover", "Cover"),
    "espnow": ("esp_now", "ESPNow"),
    "heap": ("heap_chart", "HeapChart"),
    "lan": ("lan", "LAN"),
}


class Rarity(Protocol):
    """A part that is made with its board, when a program first asks it."""

    def ask(self, verb: str, *arguments: Any) -> Any:
        """Do what the shim asks. Raises Refusal as the port raises an exception."""

    def run_ends(self) -> None:
        """The program is over: a soft reset, or any other."""

    def run_begins(self) -> None:
        """A new program begins."""

    def chip_stops(self) -> None:
        """The chip is reset, sleeps, or loses its power; the program's end has been told."""

    def close(self) -> None:
        """Give back what other boards could see of it."""


class Rarities:
    """The parts of one board that its programs have asked so far."""

    def __init__(self, board: Any):
        """`board` is a Board, which knows this class in its turn."""
        self._board = board
        self._made: dict[str, Rarity] = {}

    def has(self, name: str) -> bool:
        return name in _KINDS

    def part(self, name: str) -> Any:
        """Return a part, made now if nobody has asked for it before."""
        if name not in self._made:
            file, class_name = _KINDS[name]
            module = importlib.import_module(f"muster_harness.esp32.seldom.{file}")
            self._made[name] = getattr(module, class_name)(self._board)
        return self._made[name]

    def ask(self, name: str, verb: str, *arguments: Any) -> Any:
        return self.part(name).ask(verb, *arguments)

    def run_begins(self) -> None:
        for part in self._made.values():
            part.run_begins()

    def restart(self) -> None:
        """Stop with the chip."""
        for part in self._made.values():
            part.chip_stops()

    def run_ends(self) -> None:
        for part in self._made.values():
            part.run_ends()

    def close(self) -> None:
        for part in self._made.values():
            part.close()
        self._made.clear()
