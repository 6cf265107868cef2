# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A board that has the firmware but runs nothing, to try single parts of it on."""

import shutil
import subprocess
import sys
from pathlib import Path

from muster_harness.air.air import Air
from muster_harness.units.emulated import EmulatedBoard

ROOT = Path(__file__).resolve().parents[2]
_EXEC_S = 60


def board_with_firmware(
    flash: Path, directory: Path, air: Air, heap: str = "512K"
) -> EmulatedBoard:
    """A board on a copy of that flash, switched on and at its prompt."""
    shutil.copytree(flash, directory)
    board = EmulatedBoard(directory, air=air, heap=heap)
    board.power_on()
    board.expect(rb">>> ", 5)
    return board


def ask(board: EmulatedBoard, code: str, keep_log: bool = False) -> str:
    """Return the code's output, run through mpremote. Raises CalledProcessError with the
    traceback.

    The device's own log lines are left out unless asked for.
    """
    command = [sys.executable, "-m", "mpremote", "connect", board.port, "exec", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_EXEC_S, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"the board says:\n{done.stdout}{done.stderr}")
    lines = done.stdout.splitlines(keepends=True)
    return "".join(line for line in lines if keep_log or not line.startswith("M "))
