# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does every case in docs/field.md name tests that exist, and every kind cases of its own?"""

from collections import Counter

from tests import tables
from tests.tables import ROOT

KINDS = "ABCDEFGHI"
_REPORTED, _MORE, _HARMLESS = 5, 3, 2  # columns
_FEWEST = 2  # cases of each kind that nobody had reported


def by_columns() -> dict[int, list[list[str]]]:
    page = (ROOT / "docs" / "field.md").read_text()
    found: dict[int, list[list[str]]] = {}
    for row in tables.rows(page, "kind"):
        if row[0] != "conditions":
            found.setdefault(len(row), []).append(row)
    return found


def test_every_case_names_tests_that_exist() -> None:
    exist, found = tables.existing(), by_columns()
    assert set(found) == {_REPORTED, _MORE, _HARMLESS}
    for row in (row for rows in found.values() for row in rows):
        assert tables.missing(row, exist) == [], row


def test_every_kind_was_reported_and_has_cases_that_were_not() -> None:
    found = by_columns()
    assert {row[0] for row in found[_REPORTED]} == set(KINDS)
    counts = Counter(row[0] for row in found[_MORE])
    assert set(counts) == set(KINDS) and min(counts.values()) >= _FEWEST
