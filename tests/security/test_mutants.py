# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Is the list of mutants one that can be planted, and does planting tell a survivor?"""

import ast

import pytest

from tests import tables
from tests.security import mutants
from tests.security.mutants import ROOT, Mutant

LIST = mutants.mutants()


def test_there_are_enough_and_each_has_a_name_of_its_own() -> None:
    assert len(LIST) >= 40
    assert len({mutant.name for mutant in LIST}) == len(LIST)


@pytest.mark.parametrize("mutant", LIST, ids=lambda mutant: mutant.name)
def test_each_can_be_planted(mutant: Mutant) -> None:
    text = (ROOT / mutant.file).read_text()
    assert text.count(mutant.right) == 1, "the line has changed: plant the mutant anew"
    assert mutant.wrong != mutant.right
    ast.parse(text.replace(mutant.right, mutant.wrong))
    files = [word for word in mutant.arguments if word.endswith(".py")]
    assert files
    assert [file for file in files if not (ROOT / file).exists()] == []


def test_the_page_says_what_finds_each() -> None:
    rows = tables.rows(mutants.PAGE.read_text(), "change")
    assert [row[0] for row in rows] == [mutant.name for mutant in LIST], "write it anew"
    exist = tables.existing()
    assert [row for row in rows if tables.missing(row, exist)] == []


def test_a_survivor_and_a_victim_are_told_apart() -> None:
    arguments = ["tests/host_server/test_tokens.py"]
    right = "    return hmac.compare_digest(token_hash(token), stored_hash)"
    file = "host_server/muster_server/tokens.py"
    with mutants.copied() as copy:
        assert mutants.killer(copy, arguments) is None
        with mutants.planted(copy, Mutant("any token", file, right, "    return True", "")):
            assert mutants.killer(copy, arguments) == "test_token_matches_its_own_hash_only"
        assert mutants.killer(copy, arguments) is None
        gone = mutants.planted(copy, Mutant("gone", file, "not there", "", ""))
        with pytest.raises(ValueError, match="plant it anew"), gone:
            raise AssertionError("it was planted")
