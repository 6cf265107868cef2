# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Tables in documents whose rows name the tests that show them."""

import ast
import re
from pathlib import Path

from tests import imports

ROOT = Path(__file__).resolve().parents[1]
NAMED = re.compile(r"`(test_\w+)`")


def rows(text: str, heading: str) -> list[list[str]]:
    """The rows of a page's tables, without their headings, whose first cell is `heading`."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if row[0] != heading]


def existing() -> set[str]:
    """The names of all test functions, on the host and on the board."""
    return {
        node.name
        for file in imports.files(ROOT / "tests")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    }


def missing(row: list[str], exist: set[str]) -> list[str]:
    """Tell the tests that a row names in its last cell and that are not there; or "no test"."""
    named = NAMED.findall(row[-1])
    return [name for name in named if name not in exist] if named else ["no test"]
