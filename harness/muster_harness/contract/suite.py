# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Runs the probes and the stubs' questions on a board, and compares."""

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from muster_harness.air.air import Air
from muster_harness.contract.oracle import MODULES, ON_BOARD, Omissions, questions
from muster_harness.contract.probe import Probe, Step, difference
from muster_harness.contract.wire import Wire
from muster_harness.errors import BoardError, PortError
from muster_harness.esp32.shim_cache import SHIMS
from muster_harness.units.emulated import EmulatedBoard
from muster_harness.units.rig import Network

_KEY = "mu-contract-key"


@dataclass(frozen=True)
class Result:
    """The output of a board for one probe, and its difference from the expected one, empty if
    none."""

    name: str
    source: str
    seen: tuple[str, ...]
    differences: str
    not_asked: str = ""  # why it was not


@dataclass
class Stage:
    """The surroundings of the board that is asked.

    An emulated board has an air of its own, with which probes may do as they like; a real one
    perhaps has a network of the rig.
    """

    network: Network | None = None
    air: Air | None = None
    board: EmulatedBoard | None = None

    @contextlib.contextmanager
    def set(self, probe: Probe) -> Iterator[tuple[Network | None, dict[str, Any]]]:
        """Give a probe the network to join, and the names that its `air` steps may use."""
        if self.air is None or not probe.wants_network:
            yield self.network, {"air": self.air, "board": self.board}
            return
        ssid = f"mu-contract-{probe.name}"[:32]
        home = self.air.add_access_point(ssid, password=_KEY)
        try:
            here = {"air": self.air, "board": self.board, "home": home}
            yield Network("home", ssid, _KEY, home.gateway), here
        finally:
            home.remove()
            self.air.take_down(home)


def require_free(wire: Wire) -> None:
    """Refuse a board with a main.py, which would run between a reset and the prompt.

    Raises BoardError.
    """
    if wire.eval("'main.py' in __import__('os').listdir('/')"):
        raise BoardError(
            "this board has a main.py, which would run after every reset of the probes; move it "
            "away first, e.g. `mpremote cp :main.py . + rm :main.py`"
        )


def why_not(probe: Probe, chip: str, stage: Stage) -> str:
    """Return the reason why a probe cannot be asked here; empty if it can."""
    if probe.chips and chip not in probe.chips:
        return f"it holds for {', '.join(sorted(probe.chips))}, and this is an {chip or 'unknown'}"
    if stage.air is None and probe.is_for_emulated_only:
        return "it scripts what no desk has; known from " + probe.source
    if stage.air is None and stage.network is None and probe.wants_network:
        return "it joins a network; name a rig file with a [network.…] that has a password (--rig)"
    return ""


def run_probe(wire: Wire, probe: Probe, stage: Stage) -> Result:
    reason = why_not(probe, wire.chip, stage)
    if reason:
        return Result(probe.name, probe.source, (), "", reason)
    seen, found = [], ""
    with stage.set(probe) as (network, here):
        wire.start_anew()
        for step in probe.steps:
            try:
                if step.how == "air":
                    exec(step.code, here)  # noqa: S102 (a part of this package, as any other code)
                    continue
                seen.append(wire.see(step, network))
            except PortError:
                raise
            except BoardError as e:  # a board that hangs in one probe may do well in the next
                found += f"{e}\n"
                break
            found += difference(step.expected_on(wire.chip), seen[-1])
    return Result(probe.name, probe.source, tuple(seen), found)


def ask_stubs(wire: Wire, omissions: Omissions, module: str) -> Result:
    """Ask a board whether a module has every name and value of the stubs that is not left out."""
    wire.start_anew()
    seen = wire.see(Step("run", f"{ON_BOARD}\n{questions(module, omissions)}", ""))
    source = f"micropython-esp32-stubs, {module}.pyi"
    return Result(f"stubs of {module}", source, (seen,), difference("", seen))


def run_all(
    wire: Wire,
    probes: list[Probe],
    stage: Stage,
    omissions: Omissions,
    modules: tuple[str, ...] = MODULES,
) -> Iterator[Result]:
    require_free(wire)
    for probe in probes:
        yield run_probe(wire, probe, stage)
    for module in modules:
        yield ask_stubs(wire, omissions, module)


@contextlib.contextmanager
def emulated_stage(shims: Path = SHIMS, facts: str = "EMULATED") -> Iterator[tuple[Wire, Stage]]:
    """Make an emulated board with an air of its own."""
    with (
        tempfile.TemporaryDirectory(prefix="muster-contract-") as folder,
        Air() as air,
        EmulatedBoard(
            Path(folder) / "board", air=air, facts=facts, shims=shims, limits_idf_heap=True
        ) as board,
    ):
        board.power_on()
        board.expect(rb">>> ", 20)
        with Wire(board.port) as wire:
            yield wire, Stage(air=air, board=board)
