# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`make peers MICROPYTHON_CHECKOUT=path`: runs the suites and holds them against expected.toml."""

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

from muster_harness.errors import HarnessError
from tests.peers.expectations import read_expected, surprises
from tests.peers.suites import ALL, Checkout, Outcome, run

_LOGS = Path("build") / "peers"


def main() -> int:
    parser = argparse.ArgumentParser(prog="make peers", description=__doc__)
    parser.add_argument("checkout", type=Path, help="of MicroPython's repository")
    parser.add_argument("suites", nargs="*", metavar="suite", help=f"of {', '.join(ALL)}; all")
    arguments = parser.parse_args()
    for suite in arguments.suites:
        if suite not in ALL:
            parser.error(f"there is no suite {suite!r}; there are {', '.join(ALL)}")
    checkout = Checkout(arguments.checkout.absolute())
    try:
        checkout.require()
        expected = read_expected()
        said: list[str] = []
        print(f"{'suite':16} passed  failed expected  skipped  seconds")
        for suite in arguments.suites or ALL:
            began = time.monotonic()
            outcomes = run(checkout, suite, _LOGS.absolute())
            print(_row(suite, outcomes, expected.keys(), time.monotonic() - began), flush=True)
            said += surprises(outcomes, expected)
    except HarnessError as e:
        print(f"make peers: {e}", file=sys.stderr)
        return 2
    print("\n".join(said) or "every failure is expected, and has its reason")
    print(f"what each suite printed: {_LOGS}/*.log")
    return 1 if said else 0


def _row(suite: str, outcomes: list[Outcome], expected: object, took_s: float) -> str:
    counts = Counter(outcome.result for outcome in outcomes)
    known = sum(o.result == "fail" and o.test in expected for o in outcomes)  # type: ignore[operator]
    return (
        f"{suite:16} {counts['pass']:6} {counts['fail'] - known:7} {known:8} "
        f"{counts['skip']:8} {took_s:8.0f}"
    )


if __name__ == "__main__":
    sys.exit(main())
