# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Runs the probes and the stubs' questions on a board, and compares."""

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.air import Air
from harness.contract.oracle import MODULES, ON_BOARD, Omissions, questions
from harness.contract.probe import Probe, Step, difference
from harness.contract.wire import Wire
from harness.emulated import EmulatedBoard
from harness.errors import BoardError, PortError
from harness.shim_cache import SHIMS


@dataclass(frozen=True)
class Result:
    """What a board printed for one probe, and how that differs; no difference is empty."""

    name: str
    source: str
    seen: tuple[str, ...]
    differences: str


def require_free(wire: Wire) -> None:
    """A main.py would stand between a reset and the prompt."""
    if wire.eval("'main.py' in __import__('os').listdir('/')"):
        raise BoardError(
            "this board has a main.py, which would run after every reset of the probes; move it "
            "away first, e.g. `mpremote cp :main.py . + rm :main.py`"
        )


def run_probe(wire: Wire, probe: Probe) -> Result:
    wire.start_anew()
    seen, found = [], ""
    for step in probe.steps:
        try:
            seen.append(wire.see(step))
        except PortError:
            raise
        except BoardError as e:  # a board that hangs in one probe may do well in the next
            found += f"{e}\n"
            break
        found += difference(step.expected, seen[-1])
    return Result(probe.name, probe.source, tuple(seen), found)


def ask_stubs(wire: Wire, omissions: Omissions, module: str) -> Result:
    """Whether a module has every name and value of the stubs that is not left out."""
    wire.start_anew()
    seen = wire.see(Step("run", f"{ON_BOARD}\n{questions(module, omissions)}", ""))
    source = f"micropython-esp32-stubs, {module}.pyi"
    return Result(f"stubs of {module}", source, (seen,), difference("", seen))


def run_all(
    wire: Wire, probes: list[Probe], omissions: Omissions, modules: tuple[str, ...] = MODULES
) -> Iterator[Result]:
    require_free(wire)
    for probe in probes:
        yield run_probe(wire, probe)
    for module in modules:
        yield ask_stubs(wire, omissions, module)


@contextlib.contextmanager
def emulated_wire(shims: Path = SHIMS) -> Iterator[Wire]:
    """An emulated board of its own, with nothing in the air."""
    with (
        tempfile.TemporaryDirectory(prefix="muster-contract-") as folder,
        Air() as air,
        EmulatedBoard(Path(folder) / "board", air=air, shims=shims) as board,
    ):
        board.power_on()
        board.expect(rb">>> ", 20)
        with Wire(board.port) as wire:
            yield wire
