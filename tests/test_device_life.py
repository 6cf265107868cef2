# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""docs/device-life.md names a test for each edge of the device's life and for each outcome."""

import ast
import re
from pathlib import Path

from host_server.outcomes import OUTCOMES

ROOT = Path(__file__).resolve().parents[1]
_TEXT = (ROOT / "docs" / "device-life.md").read_text()
_TESTS = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", _TEXT)
# Not provoked by a test yet.
_WITHOUT = {"discovery_none", "timeout", "wifi_timeout"}


def functions(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text())
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(tree) if isinstance(node, kinds)}


def test_every_test_that_is_named_exists() -> None:
    assert len(_TESTS) > 30
    assert [(file, name) for file, name in _TESTS if name not in functions(file)] == []


def test_every_outcome_has_a_row_with_a_test_that_knows_its_code() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \|.*`(tests/[\w/]+\.py)::", _TEXT, re.MULTILINE))
    assert set(rows) == set(OUTCOMES) - _WITHOUT
    assert [code for code, file in rows.items() if code not in (ROOT / file).read_text()] == []
