# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Constants stand in the place of their names, and nothing else changes."""

import ast
from pathlib import Path

import pytest

from muster_harness.deploy.constants import in_place

ROOT = Path(__file__).resolve().parents[3]
_STEPS = """\
from micropython import const

SEEK = const(3)  # the first
WORD = "ok"
QUOTED = const(4)
TWICE = const(5)
LONG_TEXT = "longer than what is kept once"
TABLE = (1, 2)
text = "QUOTED…"; first = SEEK
name = "QUOTED"
"""
_USER = """\
from . import steps
from .steps import (
    QUOTED,
    SEEK,  # what is said here goes
    TABLE as table,
)
from .steps import WORD

TWICE = 6

def told(step):
    "…"; return ("é", step == SEEK, steps.WORD, WORD, steps.QUOTED, QUOTED, table, TWICE)
"""


@pytest.fixture
def texts() -> dict[Path, str]:
    return {Path("steps.py"): _STEPS, Path("user.py"): _USER}


def test_values_stand_where_the_names_stood(texts: dict[Path, str]) -> None:
    made = in_place(texts)
    steps, user = made[Path("steps.py")], made[Path("user.py")]
    assert "SEEK" not in steps + user and "WORD" not in steps + user
    assert 'text = "QUOTED…"; first = 3' in steps
    for kept in ("QUOTED = const(4)", "TWICE = const(5)", "LONG_TEXT =", "TABLE ="):
        assert kept in steps
    assert "from .steps import QUOTED, TABLE as table\n" in user
    assert "step == 3, 'ok', 'ok', steps.QUOTED, QUOTED, table, TWICE)" in user


def test_lines_stay_where_they_are(texts: dict[Path, str]) -> None:
    for path, text in in_place(texts).items():
        lines, former = text.splitlines(), texts[path].splitlines()
        assert len(lines) == len(former)
        for number in (4, 9):
            assert lines[number - 1].split(" ")[0] in (former[number - 1].split(" ")[0], "pass")
        ast.parse(text)


@pytest.mark.parametrize(
    "line",
    [
        "def f(SEEK): return SEEK",
        "from other import SEEK",
        "from .steps import SEEK as first",
        "def f():\n    global SEEK\n    SEEK = 4",
        "for SEEK in range(2): pass",
        "thing.SEEK = 1",
        'getattr(steps, "SEEK")',
        "SEEK = 7",
    ],
)
def test_a_name_that_is_anything_else_somewhere_stays(line: str) -> None:
    texts = {Path("steps.py"): "SEEK = 3\n", Path("user.py"): line + "\n"}
    assert in_place(texts) == texts


def test_the_firmware_has_fewer_names(tmp_path: Path) -> None:
    sources = {path: path.read_text() for path in (ROOT / "firmware" / "muster").glob("*.py")}
    made = in_place(sources)
    assert sum(made[path] != sources[path] for path in sources) > 20
    for path, text in made.items():
        assert text.count("\n") == sources[path].count("\n")
        compile(text, str(path), "exec")
