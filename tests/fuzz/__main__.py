# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`python -m tests.fuzz`: hostile input for every parser of the device and of the servers.

Without options each gets a thousand inputs. Progress goes to standard error, a line per parser to
standard output, figures to build/fuzz.json; what was found lies in build/fuzz-found.
"""

import argparse
import json
import sys
from pathlib import Path

from tests.fuzz import device
from tests.fuzz.result import FILE, Result, merged
from tests.fuzz.servers import run as servers

_DEFAULT_INPUTS = 1000
_GROUPS = {"device": list(device.PARSERS), "servers": list(servers.TARGETS)}
_NAMES = [*_GROUPS["device"], *_GROUPS["servers"]]


def main() -> int:
    options = _options()
    results = []
    for name in _chosen(options.only):
        print(f"fuzzing {name} …", file=sys.stderr, flush=True)
        result = _run(name, options.seed, options.inputs, options.seconds)
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
    names = [*_GROUPS, *_NAMES]
    parser.add_argument(
        "--only", action="append", choices=names, metavar="NAME", help=f"of {', '.join(names)}"
    )
    parser.add_argument("--seed", type=int, default=1, help="another seed, other inputs")
    parser.add_argument("--json", default=str(FILE), help="where the figures go")
    return parser.parse_args()


def _chosen(only: list[str] | None) -> list[str]:
    return [name for word in only or _GROUPS for name in _GROUPS.get(word, [word])]


def _run(name: str, seed: int, inputs: int | None, seconds: float | None) -> Result:
    if seconds is None and inputs is None:
        inputs = _DEFAULT_INPUTS
    run = device.run if name in device.PARSERS else servers.run
    return run(name, seed, inputs, seconds)


def _keep(file: Path, results: list[Result]) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(merged(file, results), indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    sys.exit(main())
