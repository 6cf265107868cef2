# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does every row of the threat model name tests, which exist, and attackers of their own?"""

import ast
import re
from pathlib import Path

from tests import imports
from tests.parts import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text()
NAMED = re.compile(r"`(test_\w+)`")
COLUMNS = 4


def rows() -> list[list[str]]:
    """The rows of the page's tables, without their headings."""
    lines = [line for line in PAGE.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if row[0] != "who" and not row[0].startswith("---")]


def existing() -> set[str]:
    """The names of all test functions, on the host and on the board."""
    return {
        node.name
        for file in imports.files(ROOT / "tests")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    }


def test_every_row_names_existing() -> None:
    exist, found = existing(), rows()
    assert len(found) > 25
    for row in found:
        assert len(row) == COLUMNS, row
        named = NAMED.findall(row[3])
        assert named, f"no test: {row[0]}"
        assert [name for name in named if name not in exist] == [], row[0]


def test_a_row_without_a_test_would_be_seen() -> None:
    assert NAMED.findall("somebody said so") == []
    assert "test_that_nobody_wrote" not in existing()


def test_every_attack_is_in_the_page() -> None:
    attacks = {
        node.name
        for file in Path(__file__).parent.glob("test_*.py")
        if file.name not in ("test_rows.py", "test_mutants.py")
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }
    assert attacks - set(NAMED.findall(PAGE)) == set()


def test_attackers_share_nothing_with_the_product() -> None:
    own = Path(__file__).parent
    for file in (own / "attacker.py", own / "town.py", *own.glob("test_*.py")):
        named = imports.of(file, own)
        assert not {name for name in named if name.split(".")[0] == "muster_server"}, file.name
