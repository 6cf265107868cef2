# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Holds runs of ACME CSE's own tests (acme_suite.py) to acme_rows.toml, which has a reason for
each row that our platform does not pass:

    python -m tests.host_server.platform_server.acme_rows testACP.txt testSUB.txt …

Ends with 1 if a row fails without a reason.
"""

import re
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROWS = Path(__file__).with_name("acme_rows.toml")
# unittest's lines, e.g. "test_createACP (testACP.TestACP.test_createACP)", and with or without a
# title its end: "Create <ACP> ... ok".
_ROW = re.compile(
    r"^(test_\w+) \(test(\w+?)\.(?:(?!^test_).)*?\.\.\. (ok|FAIL|ERROR|skipped)", re.M | re.S
)


@dataclass(frozen=True)
class Run:
    """One suite's rows, by what came of them."""

    suite: str
    passed: frozenset[str]
    failed: frozenset[str]


def read(path: Path = ROWS) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """The reasons by their short names, and these by suite and row."""
    document = tomllib.loads(path.read_text())
    reasons: dict[str, str] = document.pop("reasons")
    return reasons, document


def run_of(written: str) -> Run:
    """Return the rows of a run as it has written them. ValueError if there are none."""
    found = _ROW.findall(written)
    if not found:
        raise ValueError("no row of a test is in it")
    passed = frozenset(name for name, _, end in found if end == "ok")
    failed = frozenset(name for name, _, end in found if end in ("FAIL", "ERROR"))
    return Run(found[0][1], passed, failed)


def unexplained(run: Run, rows: Mapping[str, Mapping[str, str]]) -> list[str]:
    """The rows that failed and have no reason."""
    return sorted(run.failed - rows.get(run.suite, {}).keys())


def main(paths: list[str]) -> int:
    """Tell of each run; the exit status."""
    _, rows = read()
    status = 0
    for path in paths:
        run = run_of(Path(path).read_text())
        count = len(run.passed) + len(run.failed)
        print(f"{run.suite}: {len(run.passed)} of {count} passed")
        for name in unexplained(run, rows):
            print(f"  {name}: failed, and has no reason")
            status = 1
        for name in sorted(run.passed & rows.get(run.suite, {}).keys()):
            print(f"  {name}: passed, and has a reason not to")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
