# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`python -m tests.fuzz`: hostile input for every parser of the device and of the servers.

Without options each gets a thousand inputs. Progress goes to standard error, a line per parser to
standard output, figures to build/fuzz.json; what was found lies in build/fuzz-found.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

from tests.fuzz.result import FILE, Result, merged
from tests.fuzz.servers.run import TARGETS, run

_DEFAULT_INPUTS = 1000


def main() -> int:
    options = _options()
    results = []
    for name in options.only or list(TARGETS):
        print(f"fuzzing {name} …", file=sys.stderr, flush=True)
        result = run(name, options.seed, _limit(options.inputs, options.seconds))
        results.append(result)
        print(result.line(), flush=True)
        _keep(Path(options.json), results)
    findings = sum(len(result.findings) for result in results)
    inputs = sum(result.inputs for result in results)
    seconds = sum(result.seconds for result in results)
    print(f"{inputs:,} inputs in {seconds:.0f} s, {findings} findings")
    return 1 if findings else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    most = parser.add_mutually_exclusive_group()
    most.add_argument("--inputs", type=int, help="so many for each parser")
    most.add_argument("--seconds", type=float, help="so long for each parser")
    parser.add_argument("--only", action="append", choices=list(TARGETS), metavar="NAME")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other inputs")
    parser.add_argument("--json", default=str(FILE), help="where the figures go")
    return parser.parse_args()


def _limit(inputs: int | None, seconds: float | None) -> Callable[[int, float], bool]:
    if seconds is not None:
        return lambda done, elapsed: elapsed >= seconds
    wanted = _DEFAULT_INPUTS if inputs is None else inputs
    return lambda done, elapsed: done >= wanted


def _keep(file: Path, results: list[Result]) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(merged(file, results), indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    sys.exit(main())
