# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does every row of the threat model name tests, which exist, and attackers of their own?"""

import ast
from pathlib import Path

from tests import imports, tables
from tests.tables import NAMED, ROOT

PAGE = (ROOT / "docs" / "security.md").read_text()
COLUMNS = 4


def test_every_row_names_existing() -> None:
    exist, found = tables.existing(), tables.rows(PAGE, "who")
    assert len(found) > 25
    for row in found:
        assert len(row) == COLUMNS, row
        assert tables.missing(row, exist) == [], row[0]


def test_a_row_without_a_test_would_be_seen() -> None:
    assert tables.missing(["somebody", "said so"], set()) == ["no test"]
    assert tables.missing(["x", "`test_that_nobody_wrote`"], tables.existing()) != []


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
