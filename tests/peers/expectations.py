# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Expected failures, each with its reason: expected.toml, held against what came."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from muster_harness.errors import HarnessError
from tests.peers.suites import ALL, Outcome

FILE = Path(__file__).parent / "expected.toml"
REASONS = {
    "absent": "an ESP32's firmware is built without it",
    "internet": "it asks servers of the internet",
    "interpreter": "the unix interpreter underneath does that otherwise",
    "physics": "it measures what only hardware has",
}


@dataclass(frozen=True)
class Expected:
    """A failure that is known. One that does not always fail is `sometimes`."""

    reason: str  # a key of REASONS
    why: str
    sometimes: bool


def read_expected(path: Path = FILE) -> dict[str, Expected]:
    """By test. Raises HarnessError if an entry says nothing, or something twice."""
    found: dict[str, Expected] = {}
    for entry in tomllib.loads(path.read_text())["expected"]:
        reason, why = entry["reason"], entry["why"].strip()
        if reason not in REASONS or not why:
            raise HarnessError(f"{path.name}: {entry} needs a why, and a reason of {[*REASONS]}")
        for test in entry["tests"].split():
            if test in found or not test.startswith(tuple(f"{suite}/" for suite in ALL)):
                raise HarnessError(f"{path.name}: {test} stands there twice, or is of no suite")
            found[test] = Expected(reason, why, entry.get("sometimes", False))
    return found


def as_table(expected: dict[str, Expected]) -> list[str]:
    """Return the rows that docs/emulated-board.md has, one a test."""
    return [
        f"| `{test.removesuffix('.py')}` | {cause.reason}{', sometimes' * cause.sometimes} "
        f"| {cause.why} |"
        for test, cause in expected.items()
    ]


def surprises(outcomes: Iterable[Outcome], expected: dict[str, Expected]) -> list[str]:
    """A sentence for each test that fails without being expected to, and for each that passes
    although it is."""
    said = []
    for outcome in outcomes:
        known = expected.get(outcome.test)
        if outcome.result == "fail" and known is None:
            said.append(f"{outcome.test} fails")
        elif outcome.result == "pass" and known is not None and not known.sometimes:
            said.append(f"{outcome.test} passes: take it out of {FILE.name}")
        elif outcome.result == "skip" and known is not None:
            said.append(f"{outcome.test} is skipped: take it out of {FILE.name}")
    return said
