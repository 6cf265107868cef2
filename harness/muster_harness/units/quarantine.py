# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Tests that may fail for now, each with its reason, and whether one has come to itself.

The file is the project's: for each test a table with `test`, its node id, and `reason`.
"""

import tomllib
from collections.abc import Container, Iterable
from pathlib import Path

from muster_harness.errors import HarnessError

ENOUGH = 20  # so many passes in a row, and a test need not stay there


def read_quarantine(path: Path) -> dict[str, str]:
    """Return the reasons by node id.

    Raises HarnessError for a file that cannot be read, and for a test that stands there twice or
    without a reason.
    """
    try:
        entries = tomllib.loads(path.read_text()).get("quarantine", [])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as e:
        raise HarnessError(f"the quarantine {path} cannot be read: {e}") from e
    found: dict[str, str] = {}
    for entry in entries:
        test, reason = str(entry.get("test", "")), str(entry.get("reason", "")).strip()
        if not test or not reason or test in found or set(entry) - {"test", "reason"}:
            raise HarnessError(
                f"{path}: {entry} has to be a `test` (a node id, once) and its `reason`, as in\n"
                '[[quarantine]]\ntest = "tests/test_bell.py::test_ring"\nreason = "loses a press"'
            )
        found[test] = reason
    return found


def named(nodeid: str, quarantine: Container[str]) -> str | None:
    """Return the name by which a test is in quarantine: its own, or that without parameters."""
    return next((n for n in (nodeid, nodeid.partition("[")[0]) if n in quarantine), None)


def strangers(quarantine: Iterable[str], collected: Iterable[str]) -> list[str]:
    """Return the tests of a quarantine that are not among those of their own files."""
    there = set(collected)
    there |= {nodeid.partition("[")[0] for nodeid in there}
    files = {nodeid.partition("::")[0] for nodeid in there}
    return [t for t in quarantine if t not in there and t.partition("::")[0] in files]


class Passes:
    """Counts of passes in a row, by quarantined test; `known` is from earlier runs."""

    def __init__(self, known: dict[str, int]):
        self.counts = dict(known)

    def passed(self, test: str) -> None:
        self.counts[test] = self.counts.get(test, 0) + 1

    def failed(self, test: str) -> None:
        self.counts[test] = 0

    def healed(self, quarantine: Iterable[str]) -> list[str]:
        """Return those that may leave."""
        return sorted(t for t in quarantine if self.counts.get(t, 0) >= ENOUGH)
