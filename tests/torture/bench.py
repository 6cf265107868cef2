# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A story whose board and servers can be put back, together, to any moment that was recorded."""

import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from muster_harness.esp32.parts.flash import FlashContent
from muster_harness.units.emulated import EmulatedBoard
from tests.system.story import ROOT, Label, Story
from tests.torture.inspector import Inspector
from tests.torture.overwriting import MARK
from tests.torture.relay import Relay
from tests.torture.server_state import ServerState

# Servers limit how often a device may ask, by its address, and an address goes with the name.
_NAMES = 200
_QUIET_S = 10.0
_TIDY_S = 300.0  # of a machine that is busy; a few seconds on one that is not


@dataclass(frozen=True)
class Save:
    """One moment: what is on the board's flash, and what the servers know."""

    content: FlashContent
    servers: ServerState


@dataclass(frozen=True)
class Mark:
    """A reply is about to reach the board, which has done so many flash operations until now."""

    operations: int
    path: str  # that was asked
    servers: ServerState


class Bench:
    """One device with its servers and networks. Ends with its block."""

    def __init__(self, directory: Path, flash: Path) -> None:
        self.story = Story(directory, flash=flash)
        self._marks: list[Mark] | None = None
        self._recorded_from = 0
        self._board_folder = directory / "board"
        self._relays: dict[tuple[str, int], Relay] = {}
        self._closers = ExitStack()
        self._boards = 0
        self._log = directory / "serial.log"

    def __enter__(self) -> Self:
        self._closers.enter_context(self.story)
        self.story.air.on_connect = self._through
        self.label: Label = self.story.begin()
        self.renew_board()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.board.power_off()
        for relay in self._relays.values():
            self._closers.enter_context(relay)
        self._closers.__exit__(kind, error, trace)

    @property
    def board(self) -> EmulatedBoard:
        return self.story.board

    def renew_board(self) -> None:
        """The same flash in a board of another name."""
        with self._log.open("ab") as log:
            log.write(self.board.output)
        self.board.close()
        self._boards += 1
        self.story.board = EmulatedBoard(
            self._board_folder,
            air=self.story.air,
            heap="512K",
            facts=ROOT / "boards" / "EMULATED.toml",
            name=f"board-{self._boards % _NAMES}",
            virtual_time=True,
        )

    def _through(self, board: str, host: str, port: int) -> tuple[str, int]:
        true = (host, port)
        if true not in self._relays:
            self._relays[true] = Relay(true, self._mark)
        return self._relays[true].address

    def _mark(self, path: str) -> None:
        marks = self._marks
        if marks is not None:
            operations = self.board.flash_operations - self._recorded_from
            marks.append(Mark(operations, path, ServerState(self.story.servers.data)))

    def keep_marks(self) -> list[Mark]:
        """From now on keep a mark of each reply in this list; count operations from here."""
        self._recorded_from = self.board.flash_operations
        marks: list[Mark] = []
        self._marks = marks
        return marks

    def end_marks(self) -> None:
        self._marks = None

    # Moments

    def save(self) -> Save:
        """The board has to be off."""
        self._wait_until_quiet()
        return Save(self.board.read_flash(), ServerState(self.story.servers.data))

    def load(self, save: Save) -> None:
        """Put all back to this moment; the board is off and has said nothing yet."""
        self.board.power_off()
        self._wait_until_quiet()
        self.renew_board()
        self.story.onboarding.restore()
        self.story.operational.restore()
        save.servers.put_back(self.story.servers.data)
        self.board.write_flash(save.content)

    def _wait_until_quiet(self) -> None:
        deadline = time.monotonic() + _QUIET_S
        while not all(relay.is_idle for relay in self._relays.values()):
            if time.monotonic() > deadline:
                raise TimeoutError(f"a server has been at work for more than {_QUIET_S} s")
            time.sleep(0.005)

    # What a person does

    def press(self, seconds: float, speed: float = 10.0) -> None:
        """Hold the button for so long by the board's clock, which runs faster meanwhile."""
        self.board.clock.scale(speed)
        try:
            self.board.press("button", ms=round(seconds * 1000))
        finally:
            self.board.clock.scale(1)

    def wait_for(self, state: str, timeout_s: float = 20.0) -> None:
        """Until the portal shows this state."""
        self.story.wait_for(self.label, lambda device: device["state"] == state, timeout_s)

    def wait_until_proved(self, version: int, timeout_s: float = 20.0) -> None:
        """Until the portal shows that the device works with this version."""

        def is_at_work(device: dict[str, Any]) -> bool:
            return (device["state"], device["version"]) == ("registered", version)

        self.story.wait_for(self.label, is_at_work, timeout_s)

    def settled(self) -> FlashContent:
        """Wait until the device writes no more to its flash, and return the content."""
        before = -1
        while before != (before := self.board.flash_operations):
            time.sleep(0.15)
        return self.board.read_flash()

    def tidied(self, inspector: Inspector) -> FlashContent:
        """Wait until free space has been overwritten, if that is due, and return the content.

        Raises TimeoutError if it is not in time.
        """
        deadline = time.monotonic() + _TIDY_S
        while True:
            content = self.settled()
            start = inspector.look(content).first
            if start.error or MARK not in start.left:
                return content
            if time.monotonic() > deadline:
                raise TimeoutError(f"free space has not been overwritten within {_TIDY_S:g} s")
            time.sleep(0.3)
