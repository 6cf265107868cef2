# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Fills a board's filesystem with a file of no use, for tests of a full flash."""

import subprocess
import tempfile
from pathlib import Path

from muster_harness.errors import HarnessError
from muster_harness.esp32.interpreter import find_interpreter
from muster_harness.esp32.parts.flash import FlashContent
from muster_harness.units.emulated import EmulatedBoard

FILLER = "/filler"
_LIMIT_S = 60
_PROGRAM = """\
import os, sys, vfs

class Device:
    def __init__(self, path):
        self.file = open(path, "r+b")
        self.blocks = os.stat(path)[6] // 4096
    def readblocks(self, block, buf, offset=0):
        self.file.seek(block * 4096 + offset)
        self.file.readinto(buf)
    def writeblocks(self, block, buf, offset=0):
        self.file.seek(block * 4096 + offset)
        self.file.write(buf)
    def ioctl(self, op, arg):
        if op == 6:
            self.writeblocks(arg, b"\\xff" * 4096)
        return {4: self.blocks, 5: 4096}.get(op, 0)

vfs.mount(Device(sys.argv[1]), "/full")
leave = int(sys.argv[2]) // 4096
with open("/full/filler", "ab") as f:
    try:
        while os.statvfs("/full")[3] > leave:
            f.write(bytes(4096))
            f.flush()
    except OSError as e:
        if e.errno != 28:
            raise
"""


def fill_filesystem(board: EmulatedBoard, leave_bytes: int = 0) -> None:
    """Fill the flash of a board that is off, up to a few blocks, with the file `/filler`.

    Raises HarnessError if there is no filesystem on it yet.
    """
    before = board.read_flash()
    with tempfile.TemporaryDirectory() as made:
        image = Path(made) / "flash.img"
        image.write_bytes(before.image)
        command = [*find_interpreter().command, "-c", _PROGRAM, str(image), str(leave_bytes)]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=_LIMIT_S)
        except subprocess.SubprocessError as e:
            said = getattr(e, "stdout", "") or ""
            raise HarnessError(f"cannot fill the filesystem of {board.name}: {said}") from e
        board.write_flash(FlashContent(image.read_bytes(), before.nvs))
