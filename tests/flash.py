# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Boards with the firmware on them, deployed once a run over serial, as a person would."""

import subprocess
import sys
from pathlib import Path

from muster_harness.air.air import Air
from muster_harness.deploy.firmware import deploy_firmware
from muster_harness.units.emulated import EmulatedBoard

ROOT = Path(__file__).resolve().parents[1]
_COPY_S = 60


def make_flash(
    directory: Path,
    form: str = "mpy",
    with_main: bool = True,
    firmware: Path = ROOT / "firmware",
) -> Path:
    """A board's directory, switched off, with the firmware in its flash.

    Without main.py the board starts to its prompt, for tests of single parts.
    """
    with Air() as air, EmulatedBoard(directory, air=air) as board:
        board.power_on()
        board.expect(rb">>> ", 5)
        deploy_firmware(board.port, firmware, form=form, build={"model": "press"})
        if not with_main:
            command = [sys.executable, "-m", "mpremote", "connect", board.port, "rm", ":main.py"]
            subprocess.run(command, check=True, capture_output=True, timeout=_COPY_S)
    return directory
