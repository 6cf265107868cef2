# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The table of names tells what the emulated board has, and why it has not the others."""

from pathlib import Path

from muster_harness import EmulatedBoard
from muster_harness.contract.surface import survey

TABLE = Path(__file__).parents[2] / "docs" / "esp32-names.md"


def test_the_table_is_fresh_and_every_absence_has_its_reason() -> None:
    document, lacking = survey()
    assert lacking == []
    assert TABLE.read_text() == document, f"python -m muster_harness.contract.surface > {TABLE}"


def test_help_lists_what_can_be_imported(board: EmulatedBoard) -> None:
    listed = board.exec("help('modules')").split("Plus any")[0].split()
    assert {"machine", "network", "onewire", "tls"} <= set(listed)
    assert listed == sorted(set(listed), key=listed.index)
    for name in set(listed) - {"webrepl_setup"}:  # that one asks a person
        board.exec(f"import {name.partition('/')[0]}")
    assert "Welcome to MicroPython on the ESP32!" in board.exec("help()")
    assert "object 1 is of type int" in board.exec("help(1)")
