# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Every board file can be read, and a bad one is refused with its name and what is wrong."""

from pathlib import Path

import pytest

from muster_harness.errors import HarnessError
from muster_harness.facts import BOARDS, read_facts


@pytest.mark.parametrize("path", sorted(BOARDS.glob("*.toml")), ids=lambda p: p.stem)
def test_board_files_are_complete(path: Path) -> None:
    facts = read_facts(path)
    assert facts.name == path.stem
    assert facts.filesystem_bytes % 4096 == 0
    for part in (facts.button, facts.led):
        assert part is None or 0 <= part.pin < facts.pin_count


def test_a_board_is_found_by_name_and_by_path() -> None:
    assert read_facts("EMULATED") == read_facts("boards/EMULATED.toml")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("count = 40", "count = 'many'"), "wrong type"),
        (("[pins]", "[legs]"), "lacks 'pins'"),
        (("[pins]", "[pins"), "cannot be read as TOML"),
    ],
)
def test_a_bad_board_file_is_named(tmp_path: Path, change: tuple[str, str], words: str) -> None:
    text = (BOARDS / "EMULATED.toml").read_text()
    bad = tmp_path / "BAD.toml"
    bad.write_text(text.replace(*change))
    with pytest.raises(HarnessError, match=rf"BAD\.toml.*{words}"):
        read_facts(bad)
