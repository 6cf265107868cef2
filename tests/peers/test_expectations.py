# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Every expected failure has its reason, and none outlives its end."""

from pathlib import Path

import pytest

from muster_harness.errors import HarnessError
from tests.peers.expectations import FILE, Expected, as_table, read_expected, surprises
from tests.peers.suites import Checkout, Outcome

KNOWN = {
    "basics/a.py": Expected("interpreter", "it is older", sometimes=False),
    "basics/b.py": Expected("physics", "it measures", sometimes=True),
}


def test_the_expectations_can_be_read() -> None:
    assert read_expected()


def test_the_docs_have_each_of_them_with_its_reason() -> None:
    docs = (FILE.parents[2] / "docs" / "emulated-board.md").read_text()
    rows = as_table(read_expected())
    assert "\n".join(rows) in docs, "\n".join(rows)


@pytest.mark.parametrize(
    ("test", "result", "said"),
    [
        ("basics/a.py", "fail", []),
        ("basics/a.py", "pass", ["basics/a.py passes: take it out of expected.toml"]),
        ("basics/a.py", "skip", ["basics/a.py is skipped: take it out of expected.toml"]),
        ("basics/b.py", "pass", []),
        ("basics/b.py", "fail", []),
        ("basics/c.py", "fail", ["basics/c.py fails"]),
        ("basics/c.py", "pass", []),
        ("basics/c.py", "skip", []),
    ],
)
def test_what_is_not_as_expected_is_said(test: str, result: str, said: list[str]) -> None:
    assert surprises([Outcome(test, result)], KNOWN) == said


@pytest.mark.parametrize(
    "entry",
    [
        'reason = "ours"\ntests = "basics/a.py"\nwhy = "so it is"',
        'reason = "physics"\ntests = "basics/a.py"\nwhy = " "',
        'reason = "physics"\ntests = "basics/a.py basics/a.py"\nwhy = "so it is"',
        'reason = "physics"\ntests = "cooking/a.py"\nwhy = "so it is"',
    ],
)
def test_an_expectation_without_a_reason_is_refused(tmp_path: Path, entry: str) -> None:
    path = tmp_path / "expected.toml"
    path.write_text(f"[[expected]]\n{entry}\n")
    with pytest.raises(HarnessError):
        read_expected(path)


def test_a_folder_that_is_no_checkout_is_refused_with_the_cure(tmp_path: Path) -> None:
    with pytest.raises(HarnessError, match="name a checkout"):
        Checkout(tmp_path).require()
