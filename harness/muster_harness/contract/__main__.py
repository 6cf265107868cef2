# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`make contract` holds the emulated board, or the one behind a port, to the known behaviour."""

import argparse
import contextlib
import sys
from pathlib import Path

from muster_harness.contract.oracle import MODULES, STUBS, read_omissions
from muster_harness.contract.probe import load_probes
from muster_harness.contract.suite import Result, Stage, emulated_stage, run_all
from muster_harness.contract.wire import Wire
from muster_harness.errors import HarnessError
from muster_harness.esp32.shim_cache import SHIMS
from muster_harness.units.rig import Network, Rig, read_rig
from muster_harness.wire.ports import find_port

_USUAL_RIG = Path("rig.toml")
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
    parser = argparse.ArgumentParser(prog="python -m muster_harness.contract", description=__doc__)
    parser.add_argument(
        "--port", help="a real board's port, or a unit of the rig (default: an emulated board)"
    )
    parser.add_argument(
        "--rig",
        type=Path,
        metavar="FILE",
        help="its first [network.…] with a password is joined (default: rig.toml, if it exists)",
    )
    parser.add_argument("--board", default="EMULATED", help="the type of the emulated board")
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
    rig = _rig(options.rig)
    with contextlib.ExitStack() as stack:
        if options.port:
            entry = rig.units.get(options.port) if rig else None
            port = entry.port if entry else options.port
            wire = stack.enter_context(Wire(find_port(port)))
            stage = Stage(_network(rig))
        else:
            wire, stage = stack.enter_context(emulated_stage(options.shims, options.board))
        board = wire.exec("import os; print(os.uname()[4], os.uname()[3], sep='; ')").strip()
        print(f"board     {board}")
        if not options.stubs.is_dir():
            print(
                f"stubs     not checked: there is no {options.stubs}; `make install` puts "
                "micropython-esp32-stubs there, or name their folder with --stubs"
            )
        omissions = read_omissions(wire.chip, of_real_boards=options.port is not None)
        results = []
        for result in run_all(wire, probes, stage, omissions, modules):
            results.append(result)
            _tell(result)
    return _conclude(options, board, results)


def _rig(named: Path | None) -> Rig | None:
    path = named or _USUAL_RIG
    return read_rig(path) if named or path.exists() else None


def _network(rig: Rig | None) -> Network | None:
    networks = rig.networks.values() if rig else ()
    return next((network for network in networks if network.password), None)


def _tell(result: Result) -> None:
    if result.not_asked:
        print(f"not asked {result.name}: {result.not_asked}", flush=True)
        return
    print(f"{'differs' if result.differences else 'same':9} {result.name}", flush=True)
    if result.differences:
        print(f"          expected from {result.source}")
        print("".join(f"          {line}\n" for line in result.differences.splitlines()), end="")


def _conclude(options: argparse.Namespace, board: str, results: list[Result]) -> int:
    asked = [result for result in results if not result.not_asked]
    different = [result for result in asked if result.differences]
    print(f"{len(asked) - len(different)} of {len(asked)} as expected")
    if options.port:
        options.record.mkdir(parents=True, exist_ok=True)
        name = "".join(c if c.isalnum() else "-" for c in board).strip("-").lower()
        path = options.record / f"{name}.txt"
        path.write_text(_recording(board, asked))
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
