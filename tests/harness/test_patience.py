# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Tests that do not always pass: repeated, or in quarantine with their reasons."""

from pathlib import Path

import pytest

from muster_harness.errors import HarnessError
from muster_harness.units.quarantine import Passes, read_quarantine

pytest_plugins = ["pytester"]
_LISTED = '[[quarantine]]\ntest = "test_it.py::test_it"\nreason = "loses a press"\n'


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    pytester.makeini("[pytest]\nhil_board = emulated\nxfail_strict = true\n")
    return pytester


def test_a_test_with_a_board_is_repeated_and_others_are_not(project: pytest.Pytester) -> None:
    project.makepyfile(
        """
        def test_board(hil_unit):
            assert hil_unit.eval("6 * 7") == 42

        def test_other():
            pass
        """
    )
    result = project.runpytest_subprocess("--hil-repeat=3", "-v")
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(["*test_board?1-of-3?*", "*test_board?3-of-3?*"])
    assert project.runpytest_subprocess("--hil-repeat=0").ret == pytest.ExitCode.USAGE_ERROR


def test_a_failure_in_quarantine_fails_no_run(project: pytest.Pytester) -> None:
    Path(project.path, "quarantine.toml").write_text(_LISTED)
    project.makepyfile(test_it="def test_it(): assert False\n\ndef test_good(): pass")
    result = project.runpytest_subprocess("-rx")
    result.assert_outcomes(passed=1, xfailed=1)
    result.stdout.fnmatch_lines(["*quarantine: loses a press*"])


def test_what_has_passed_twenty_times_is_told(project: pytest.Pytester) -> None:
    Path(project.path, "quarantine.toml").write_text(_LISTED)
    test = "import pytest\n@pytest.mark.parametrize('n', range({}))\ndef test_it(n): assert {}"
    said = "has passed 20 times in a row; take it out"
    project.makepyfile(test_it=test.format(15, "True"))
    assert said not in project.runpytest_subprocess().stdout.str()
    project.makepyfile(test_it=test.format(5, "True"))
    assert said in project.runpytest_subprocess().stdout.str()
    project.makepyfile(test_it=test.format(1, "False"))
    assert said not in project.runpytest_subprocess().stdout.str()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[[quarantine]]\ntest = 'a.py::test'\n", "its `reason`"),
        ("[[quarantine]]\ntest = 'a.py::test'\nreason = ' '\n", "its `reason`"),
        (_LISTED * 2, "once"),
        ("quarantine", "cannot be read"),
    ],
)
def test_a_quarantine_without_reasons_is_refused(
    tmp_path: Path, text: str, complaint: str
) -> None:
    path = tmp_path / "quarantine.toml"
    path.write_text(text)
    with pytest.raises(HarnessError, match=complaint):
        read_quarantine(path)


def test_a_name_that_no_test_has_is_refused(project: pytest.Pytester) -> None:
    Path(project.path, "quarantine.toml").write_text(_LISTED.replace("::test_it", "::test_its"))
    project.makepyfile(test_it="def test_it(): pass")
    result = project.runpytest_subprocess()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*names tests that are not there: *test_its*"])


def test_a_failure_begins_the_count_anew() -> None:
    passes = Passes({"a": 19})
    passes.passed("a")
    assert passes.healed(["a", "b"]) == ["a"]
    passes.failed("a")
    assert passes.healed(["a", "b"]) == []
