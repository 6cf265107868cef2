# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`make contract`: the emulated board, or the one behind a port, against what is known."""

import argparse
import contextlib
import sys
from pathlib import Path

from harness.contract.oracle import MODULES, STUBS, read_omissions
from harness.contract.probe import load_probes
from harness.contract.suite import Result, emulated_wire, run_all
from harness.contract.wire import Wire
from harness.errors import HarnessError
from harness.ports import find_port
from harness.shim_cache import SHIMS

_SEND = """
This board differs from what the emulated board is held to. Either is the one that is wrong: please
send {path} to the project, as an issue titled "contract: <your board>". It holds what
the board printed, its type and its firmware's version, and no address, name or password.
"""


def main(arguments: list[str] | None = None) -> int:
    options = _options().parse_args(arguments)
    try:
        return _run(options)
    except HarnessError as e:
        print(f"contract: {e}", file=sys.stderr)
        return 2


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m harness.contract", description=__doc__)
    parser.add_argument("--port", help="a real board's port (default: an emulated board)")
    parser.add_argument("--shims", type=Path, default=SHIMS, help="other shims for the emulated")
    parser.add_argument("--record", type=Path, default=Path("build/contract"), metavar="DIR")
    parser.add_argument("--stubs", type=Path, default=STUBS, metavar="DIR")
    parser.add_argument("probes", nargs="*", metavar="PROBE", help="only these, e.g. clock nvs")
    return parser


def _run(options: argparse.Namespace) -> int:
    probes = [p for p in load_probes() if not options.probes or p.name in options.probes]
    unknown = set(options.probes) - {probe.name for probe in probes}
    if unknown:
        known = ", ".join(probe.name for probe in load_probes())
        raise HarnessError(f"no probe {', '.join(sorted(unknown))}; there are {known}")
    modules = () if options.probes or not options.stubs.is_dir() else MODULES
    omissions = read_omissions(of_real_boards=options.port is not None)
    with contextlib.ExitStack() as stack:
        if options.port:
            wire = stack.enter_context(Wire(find_port(options.port)))
        else:
            wire = stack.enter_context(emulated_wire(options.shims))
        board = wire.exec("import os; print(os.uname()[4], os.uname()[3], sep='; ')").strip()
        print(f"board     {board}")
        results = []
        for result in run_all(wire, probes, omissions, modules):
            results.append(result)
            _tell(result)
    return _conclude(options, board, results)


def _tell(result: Result) -> None:
    print(f"{'differs' if result.differences else 'same':9} {result.name}", flush=True)
    if result.differences:
        print(f"          expected from {result.source}")
        print("".join(f"          {line}\n" for line in result.differences.splitlines()), end="")


def _conclude(options: argparse.Namespace, board: str, results: list[Result]) -> int:
    different = [result for result in results if result.differences]
    print(f"{len(results) - len(different)} of {len(results)} as expected")
    if options.port:
        options.record.mkdir(parents=True, exist_ok=True)
        name = "".join(c if c.isalnum() else "-" for c in board).strip("-").lower()
        path = options.record / f"{name}.txt"
        path.write_text(_recording(board, results))
        print(f"recorded  {path}")
        if different:
            print(_SEND.format(path=path), end="")
    return 1 if different else 0


def _recording(board: str, results: list[Result]) -> str:
    lines = [f"board: {board}"]
    for result in results:
        lines += ["", f"== {result.name} (expected from {result.source})"]
        for seen in result.seen:
            lines += ["<<<", seen.rstrip("\n")]
        if result.differences:
            lines += ["difference:", result.differences.rstrip("\n")]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
