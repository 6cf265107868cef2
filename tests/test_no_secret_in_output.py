# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Runs last: no secret of any test appears in anything that the whole suite has said or logged."""

from pathlib import Path

from tests import secrecy


def test_the_search_finds_a_planted_secret_in_each_form() -> None:
    planted = b"planted-secret-for-the-search"
    secrecy.hide(planted)
    for form in secrecy.forms(planted):
        assert secrecy.leaks(b"log line " + form + b" and more") >= 1


def test_no_secret_in_any_output_of_the_suite(suite_output: list[Path]) -> None:
    assert suite_output and secrecy.count() > 0, "nothing to search or to search for"
    leaky = [path.name for path in suite_output if secrecy.leaks(path.read_bytes())]
    assert leaky == []
