# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""docs/device-life.md names a test for each edge of the device's life and for each outcome."""

import ast
import re
from pathlib import Path

from muster_server.outcomes import OUTCOMES

ROOT = Path(__file__).resolve().parents[1]
_TEXT = (ROOT / "docs" / "device-life.md").read_text()
_TESTS = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", _TEXT)
_WORDS = {
    "network": "*network*",
    "operational": "*network*",
    "platform": "*platform*",
    "where": "in the profile (step 4: in the device's build)",
}


def rows() -> dict[str, list[str]]:
    """The cells of the table of outcomes, by their code."""
    lines = re.findall(r"^\| `(\w+)` \| (.*`tests/.*) \|$", _TEXT, re.MULTILINE)
    return {code: cells.split(" | ") for code, cells in lines}


def flashes(code: str, steps: str) -> str:
    if code == "ok":
        return "a short flash every 3 s, once all nine have succeeded"
    if steps == "any":
        return "as many flashes as the step has"
    return " or ".join(steps.rsplit(", ", 1)) + " flashes"


def functions(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text())
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(tree) if isinstance(node, kinds)}


def test_every_test_that_is_named_exists() -> None:
    assert len(_TESTS) > 30
    assert [(file, name) for file, name in _TESTS if name not in functions(file)] == []


def test_every_edge_of_the_drawing_has_a_row_with_its_test() -> None:
    drawing = _TEXT.partition("```")[2].partition("```")[0]
    edges = re.findall(r"^\| ([\w ]+) \| [\w ,]+ → .*`tests/", _TEXT, re.MULTILINE)
    words = re.sub(r"[^\w,() ]", " ", drawing)
    drawn = {name.strip() for name in re.split(r"\s{2,}|,", words) if name.strip()}
    named = {re.sub(r" ?\(.*?\)", "", name) for name in drawn} - {
        *("unlabelled", "blank", "rest", "seek", "sync", "trial", "committed", "setup network"),
        *("three times early",),  # how one comes to rest: see "rested"
    }
    assert named - set(edges) == set()
    assert set(edges) - named == {"stayed"}  # drawn as "failed": back to what was before


def test_every_outcome_has_a_row_with_a_test_that_knows_its_code() -> None:
    found = {code: cells[-1].strip("`").partition("::")[0] for code, cells in rows().items()}
    assert set(found) == set(OUTCOMES)
    assert [code for code, file in found.items() if code not in (ROOT / file).read_text()] == []


def test_what_the_table_says_is_what_the_led_and_the_portal_say() -> None:
    found = rows()
    for code, outcome in OUTCOMES.items():
        steps, *said, _ = found[code]
        assert steps in ("any", "3–9") or str(outcome.step) in steps, code
        happened, to_do = (text.format(**_WORDS) for text in (outcome.happened, outcome.to_do))
        assert said == [flashes(code, steps), happened, to_do], code
