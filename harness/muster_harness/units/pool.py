# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Gives each test its units: fresh emulated boards, or those on the desk in a known state.

The classes here know nothing of pytest; muster_harness.fixtures hands them to tests.
"""

import contextlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from muster_harness.air.air import Air
from muster_harness.deploy.layout import board_files
from muster_harness.deploy.sending import put_files
from muster_harness.deploy.transfer import examine, update
from muster_harness.errors import BoardError, HarnessError, InterpreterError
from muster_harness.esp32.evidence import NOTHING_MORE, Evidence
from muster_harness.esp32.interpreter import find_interpreter
from muster_harness.facts import read_facts
from muster_harness.log import Log
from muster_harness.units.rig import Commands, Entry, Rig, Wire
from muster_harness.units.serial_unit import SerialUnit
from muster_harness.units.unit import CAPABILITIES, CURES, Unit, emulated_capabilities
from muster_harness.units.wiring import CommandSwitch, PinWire

if TYPE_CHECKING:
    from muster_harness.units.emulated import EmulatedBoard

EMULATED = "emulated"
_FACTS = "EMULATED"
Install = Callable[[Unit], None]  # puts a project's firmware onto a unit


class Shortage(HarnessError):
    """The run lacks units that a test wants; the message says what to do."""


class UnitPool:
    """The units that one run of tests may use.

    `boards` are the names that a person gave: "emulated", "emulated:ESP32_GENERIC_C3", units of
    the rig, or ports. Without any, they are the units of the rig that help no other one. An
    emulated board is there as often as a test wants it, every other board once. `stand_ins` are
    modules for emulated boards, `evidence` is what tests want from these.
    """

    def __init__(
        self,
        boards: Sequence[str],
        rig: Rig | None,
        heap: str,
        folder: Path,
        stand_ins: Path | None = None,
        evidence: Evidence = NOTHING_MORE,
    ):
        self.boards = tuple(boards) or (rig.under_test if rig else ())
        self._rig = rig
        self._heap = heap
        self._folder = folder
        self._stand_ins = stand_ins
        self._evidence = evidence
        self._templates: dict[tuple[Install, str], Path] = {}
        self._broken: dict[str, str] = {}

    def choose(self, count: int, needs: frozenset[str]) -> list[str]:
        """Choose the boards for a test.

        Raises Shortage if there are not enough that can do its work.
        """
        if not self.boards:
            raise Shortage(
                "no board: run with --hil-board emulated, or with --hil-board and a port, or "
                "describe your desk in rig.toml (harness/README.md)"
            )
        able = [board for board in self.boards if not self._lacks(board, needs)]
        if not able:
            board = self.boards[0]
            word = min(self._lacks(board, needs))
            raise Shortage(
                f"the test needs {word!r} ({CAPABILITIES[word]}), and {board} has it not; "
                + CURES[word]
            )
        chosen = [board for board in able if not _is_emulated(board)][:count]
        replicable = next((board for board in able if _is_emulated(board)), None)
        if replicable is not None:
            chosen += [replicable] * (count - len(chosen))
        if len(chosen) < count:
            raise Shortage(
                f"the test wants {count} boards, and there are {len(chosen)} for it "
                f"({', '.join(chosen)}); name more with --hil-board, once for each"
            )
        return chosen

    def has_air(self, boards: Sequence[str]) -> bool:
        """Tell whether any of the boards lives in a scripted air."""
        return any(_is_emulated(board) for board in boards)

    def on_desk(self, boards: Sequence[str]) -> list[str]:
        """Return those of the boards that exist once, behind a port that has one holder."""
        return [board for board in boards if not _is_emulated(board)]

    @contextlib.contextmanager
    def units(
        self,
        boards: Sequence[str],
        log: Log,
        air: Air | None,
        folder: Path,
        install: Install | None,
        needs: frozenset[str] = frozenset(),
    ) -> Iterator[list[Unit]]:
        """Give the chosen boards as units, stopped at their prompts, with the firmware on them."""
        with contextlib.ExitStack() as stack:
            made: list[Unit] = []
            desk: dict[str, SerialUnit] = {}
            for number, board in enumerate(boards, 1):
                if _is_emulated(board):
                    name = "board" if number == 1 else f"board-{number}"
                    self._fill(folder / name, board, install)
                    unit = _emulated_board(
                        folder / name,
                        air=air,
                        heap=self._heap,
                        facts=_facts(board),
                        virtual_time="clock" in needs,
                        log=log,
                        stand_ins=self._stand_ins,
                        evidence=self._evidence,
                    )
                    made.append(stack.enter_context(unit))
                    unit.power_on()
                    unit.stop()
                else:
                    made.append(self._on_desk(self._entry(board), log, stack, desk))
                    self._prepare(made[-1], install)
            yield made

    # -- emulated ones

    def _fill(self, folder: Path, board: str, install: Install | None) -> None:
        if install is not None:
            template = self.template(install, _facts(board))
            # Not the factory address, which no two boards share.
            shutil.copytree(template, folder, ignore=shutil.ignore_patterns("efuse", "*.log"))

    def template(self, install: Install, facts: str = _FACTS) -> Path:
        """Return the directory of an emulated board that has the firmware; make it once."""
        folder = self._templates.get((install, facts))
        if folder is None:
            folder = self._folder / f"template-{len(self._templates)}"
            with _emulated_board(
                folder, heap=self._heap, facts=facts, stand_ins=self._stand_ins
            ) as unit:
                unit.power_on()
                install(unit)
            self._templates[install, facts] = folder
        return folder

    # -- those on the desk

    def _on_desk(
        self, entry: Entry, log: Log, stack: contextlib.ExitStack, desk: dict[str, SerialUnit]
    ) -> SerialUnit:
        """Return the unit and those that help it, each only once: a port has one holder."""

        def helper(wire: Wire) -> PinWire:
            unit = self._on_desk(self._entry(wire.unit), log, stack, desk)
            return PinWire(unit, wire.pin, wire.active, wire.releases)

        def switch(part: Wire | Commands | None) -> PinWire | CommandSwitch | None:
            if isinstance(part, Commands):
                return CommandSwitch(part.on, part.off)
            return helper(part) if part else None

        if entry.name not in desk:
            unit = SerialUnit(
                entry.port,
                log.path,
                name=entry.name,
                log=log,
                button=switch(entry.button),
                power=switch(entry.power),
                led=helper(entry.led) if entry.led else None,
            )
            desk[entry.name] = stack.enter_context(unit)
        return desk[entry.name]

    def _prepare(self, unit: Unit, install: Install | None) -> None:
        """Bring a unit to its prompt, whatever state the last test left it in.

        A unit that cannot be had is not waited for again and again.
        """
        if unit.name in self._broken:
            raise BoardError(
                f"not tried again, because it failed before: {self._broken[unit.name]}"
            )
        try:
            if unit.can("power"):
                unit.power_on()
            self._stop(unit)
            if install is not None:
                install(unit)
                unit.stop()
        except BoardError as e:
            self._broken[unit.name] = str(e)
            raise

    def _stop(self, unit: Unit) -> None:
        try:
            unit.stop()
        except BoardError:
            if not unit.can("power"):
                raise
            unit.power_off()
            unit.power_on()
            unit.stop()

    def _entry(self, board: str) -> Entry:
        return _entry(board, self._rig)

    def _lacks(self, board: str, needs: frozenset[str]) -> frozenset[str]:
        if _is_emulated(board):
            return needs - emulated_capabilities(read_facts(_facts(board)), virtual_time=True)
        entry = self._entry(board)
        return needs - SerialUnit.abilities(entry.port, entry.button, entry.power, entry.led)


def _emulated_board(folder: Path, **options: Any) -> "EmulatedBoard":
    find_interpreter()  # says what to do where there is none
    # Late: it wants Linux, and boards behind ports do not.
    from muster_harness.units.emulated import EmulatedBoard

    return EmulatedBoard(folder, **options)


def what_is_lacking(boards: Sequence[str]) -> str | None:
    """A sentence on what this host lacks for emulated boards, with the cure; None if nothing."""
    if any(_is_emulated(board) for board in boards):
        try:
            find_interpreter()
        except InterpreterError as e:
            return str(e)
    return None


def check_boards(boards: Sequence[str], rig: Rig | None) -> None:
    """Refuse a board that is named twice, whatever its names. Raises HarnessError."""
    ports: dict[str, str] = {}
    for board in boards:
        if _is_emulated(board):
            continue
        port = _entry(board, rig).port
        if port in ports:
            raise HarnessError(
                f"{ports[port]} and {board} are one board, and one port has one holder; name each "
                "board once"
            )
        ports[port] = board


def _entry(board: str, rig: Rig | None) -> Entry:
    if rig is not None:
        if board in rig.units:
            return rig.units[board]
        for entry in rig.units.values():
            if entry.port == board:
                return entry
    return Entry(board.rpartition("/")[2], board)


def _is_emulated(board: str) -> bool:
    return board.partition(":")[0] == EMULATED


def _facts(board: str) -> str:
    return board.partition(":")[2] or _FACTS


def copier(folder: Path) -> Install:
    """Return a function that puts the files of a folder, unchanged, onto a unit.

    With a main.py among them it sends only changed files, and removes files that it put there
    before and that are wanted no more.
    """
    files = {f"/{path}": file for path, file in board_files(folder)}

    def install(unit: Unit) -> None:
        with unit.repl(soft_reset=True) as repl:
            if "/main.py" in files:
                update(repl, files, examine(repl, files), agree=lambda _: True)
            else:
                put_files(repl, files)

    return install
