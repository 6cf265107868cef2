# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The docstrings and pages are in plain English, and the checker finds what is not."""

import ast
from pathlib import Path

import pytest

from tests import english, imports

_RAISES = '''
class MusterError(Exception):
    """The root."""
class Late(MusterError):
    """Too late."""
class Base:
    """A door. Raises Late in the evening."""
class Door(Base):
    def open(self):
        """Open the door."""
        raise Late("no")
class Window:
    def open(self):
        """Open the window."""
        def inner():
            raise KeyError
        raise Late("no")
'''


def test_nothing_is_left_to_mend() -> None:
    assert [str(finding) for finding in english.findings()] == []


def test_there_is_something_to_check() -> None:
    assert len(english.pages()) > 10
    assert len(list(imports.files(english.ROOT / "harness"))) > 80


@pytest.mark.parametrize(
    "start", ["It opens", "What is there.", "Whether so", "As before", "What. Who?"]
)
def test_a_docstring_that_begins_with_a_pronoun_is_found(tmp_path: Path, start: str) -> None:
    file = tmp_path / "door.py"
    file.write_text(f'def _open():\n    """{start}"""\n')
    assert [finding.line for finding in english.in_docstrings(file)] == [1]


@pytest.mark.parametrize(
    "start", ["Open it.", "The door.", "Item 4.", "`it` opens.", "What does it promise?"]
)
def test_a_subject_or_a_verb_at_the_beginning_is_right(tmp_path: Path, start: str) -> None:
    file = tmp_path / "door.py"
    file.write_text(f'"""{start}"""\n')
    assert list(english.in_docstrings(file)) == []


def test_an_error_is_promised_by_the_function_its_class_or_their_bases(tmp_path: Path) -> None:
    (tmp_path / "door.py").write_text(_RAISES)
    found = [str(f.problem) for f in english.in_promises(tmp_path)]
    assert found == ["open() raises Late, and its docstring does not say so"]


def test_only_the_body_of_a_function_counts_as_raising() -> None:
    window = ast.parse(_RAISES).body[-1]
    ((function, _),) = english.functions(ast.Module([window], []))
    assert english.raised(function) == {"Late"}


@pytest.mark.parametrize(
    ("line", "problems"),
    [
        ("word " * 33, ["a line of 165 characters"]),
        ("word " * 32, []),
        ("```\n" + "word " * 40 + "\n```", []),
        (f"| a | {'word ' * 40} |", ["a cell of 199 characters"]),
        ("| a | One. Two. Three. |", ["a cell of 3 sentences"]),
        ("| a | One, e.g. two. Three. |", []),
        (f"| [a](https://example.org/{'x' * 200}) | b |", []),
    ],
)
def test_long_lines_and_paragraphs_in_tables_are_found(
    tmp_path: Path, line: str, problems: list[str]
) -> None:
    page = tmp_path / "page.md"
    page.write_text(line + "\n")
    assert [f.problem.partition(":")[0] for f in english.in_page(page)] == problems
