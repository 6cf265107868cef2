# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Power cuts while a label is written to a board, and while it is replaced by another."""

import shutil
from pathlib import Path

from muster_harness.deploy.firmware import write_identity
from muster_harness.units.emulated import EmulatedBoard
from muster_harness.units.power_cuts import Depth, record
from tests.torture.inspector import Inspector
from tests.torture.parts import LOST, Fault, Part

_FIRST = ("TORTURE-1", bytes(range(20)))
_SECOND = ("TORTURE-1", bytes(range(100, 120)))  # reissued
_WAIT_S = 20.0


def write_all(
    part: Part, inspector: Inspector, flash: Path, directory: Path, depth: Depth
) -> None:
    """Cut at every operation, of NVS and of the filesystem. The board in `flash` has the firmware
    and no label; a copy of it is used, in `directory`.
    """
    before: tuple[str, bytes] | None = None
    shutil.copytree(flash, directory)
    with EmulatedBoard(directory) as board:
        for who in (_FIRST, _SECOND):

            def write(board: EmulatedBoard, who: tuple[str, bytes] = who) -> None:
                board.forget_output()
                board.power_on()
                board.expect(rb">>> ", _WAIT_S)
                write_identity(board.port, *who)

            recording = record(board, write)
            for cut in recording.cuts(depth):
                found = inspector.look(cut.content)
                part.count("images")
                starts = (found.first, found.second)
                if any(start.error or start.identity not in (before, who) for start in starts):
                    text = f"writing a label: operation {cut}: the identity is lost"
                    part.find(Fault(text, LOST))
                elif starts[0].identity != starts[1].identity:
                    part.find(Fault(f"writing a label: operation {cut}: two identities", LOST))
            before = who
