# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The map in firmware/README.md shows every module once, and where its memory goes."""

import re
from pathlib import Path

from tests.firmware.borrowed_calls import FIRMWARE, STAYS
from tests.firmware.module_source import Module

README = Path(__file__).resolve().parents[2] / "firmware" / "README.md"
_LINE = re.compile(r"^\| `(\w+)` \| (.+) \| (stays|at work|) ?\|$", re.MULTILINE)
_GROUPS = 9


def the_map() -> list[tuple[str, str, str]]:
    """(module, what it does, in memory), line by line."""
    return _LINE.findall(README.read_text())


def test_every_module_is_on_the_map_once_and_no_other() -> None:
    shown = [name for name, _, _ in the_map()]
    assert sorted(shown) == sorted(path.stem for path in FIRMWARE.glob("*.py"))


def test_the_map_has_its_groups_and_no_line_in_another_form() -> None:
    text = README.read_text()
    tables = text.count("| module | what it does | in memory |")
    assert tables == _GROUPS == text.count("\n### ")
    assert len(the_map()) + 2 * tables == text.count("\n|")


def test_what_stays_and_what_is_kept_at_work_are_marked() -> None:
    marked = {
        mark: {name for name, _, m in the_map() if m == mark} for mark in ("stays", "at work")
    }
    assert marked["stays"] == STAYS | {"__init__"}
    operation = Module(FIRMWARE / "operation.py").imports(marked["at work"])
    assert operation | {"operation", "http", "tls", "session", "onem2m"} == marked["at work"]
