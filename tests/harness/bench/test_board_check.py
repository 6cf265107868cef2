# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Every board file would pass `muster-unit board check`, which a contributor is told to run."""

from pathlib import Path

import pytest

from muster_harness.bench.board_check import problems
from muster_harness.facts import BOARDS

REAL = sorted(path for path in BOARDS.glob("*.toml") if path.stem != "EMULATED")


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_nothing_is_wrong_with_the_board_files(path: Path) -> None:
    assert problems(path) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("pin = 0 ", "pin = 99 "), "[button] pin 99 is none of the 40 pins"),
        (("source:", "from:"), "no fact has its source"),
        (("esptool_offset = 0x1000", "esptool_offset = 0x0"), "esptool_offset is 0x1000"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, change: tuple[str, str], words: str) -> None:
    text = (BOARDS / "ESP32_GENERIC.toml").read_text()
    assert change[0] in text
    bad = tmp_path / "MY_BOARD.toml"
    bad.write_text(text.replace(*change))
    assert any(words in problem for problem in problems(bad)), problems(bad)
