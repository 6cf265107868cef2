# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Writes a MicroPython image to a chip with esptool, and says in our words what esptool met."""

import collections
import importlib.util
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from muster_harness.deploy.image_file import check_image
from muster_harness.errors import ImageError, NotMicroPython, PortError, WrongBoard
from muster_harness.facts import BoardFacts
from muster_harness.wire.ports import why_closed

BAUD = 460800

_LIMIT_S = 600.0
_KEPT_LINES = 12
_ATTEMPTS = 4  # to reset the chip into its loader, about a second each
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%")
_HELP = re.compile(r"For troubleshooting|^\s*$")

# What esptool says (loader.py, cmds.py of 5.x), and what it means here.
_CLOSED = re.compile(r"port is busy or doesn't exist|[Cc]ould not (open|exclusively)")
_SILENT = re.compile(r"Failed to connect|No serial data received|[Ww]rong boot mode")
_OTHER_CHIP = re.compile(r"This chip is ([\w-]+), not ([\w-]+)|is not an? ([\w-]+) image")
_WORN = re.compile(
    r"MD5 of file does not match|written flash region is empty|verif\w+ failed", re.I
)


def write_image(
    port: str,
    facts: BoardFacts,
    image: Path,
    *,
    erase: bool = False,
    baud: int = BAUD,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write `image` where this type of board starts, verify it, and reset the board.

    `erase` empties the whole flash first: files, settings and identity go. `progress` hears the
    per cent done and 100. Raises PortError, NotMicroPython if no loader answers, WrongBoard,
    ImageError.
    """
    check_image(image)
    if importlib.util.find_spec("esptool") is None:
        raise ImageError("esptool is not installed; pip install esptool")
    command = [sys.executable, "-m", "esptool", "--chip", facts.mcu, "--port", port]
    command += ["--connect-attempts", str(_ATTEMPTS)]
    command += ["--baud", str(baud), "--after", "hard-reset", "write-flash"]
    command += ["--erase-all"] if erase else []
    command += [f"{facts.image_offset:#x}", str(image)]
    code, said = _run(command, progress)
    if code != 0:
        raise _meaning(port, facts, image, said)


def _run(command: list[str], progress: Callable[[int, int], None] | None) -> tuple[int, str]:
    """Run esptool and return its exit code and last lines.

    It is a process of its own, because esptool prints, and ends its process when it fails.
    """
    esptool = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=os.environ | {"NO_COLOR": "1", "TERM": "dumb"},
    )
    watch = threading.Timer(_LIMIT_S, esptool.kill)
    watch.start()
    lines: collections.deque[str] = collections.deque(maxlen=_KEPT_LINES)
    try:
        for raw in esptool.stdout or ():
            # a part that is written is a line ended by a carriage return
            for line in raw.decode("utf-8", "replace").replace("\r", "\n").splitlines():
                found = _PERCENT.search(line)
                if found and progress:
                    progress(int(float(found[1])), 100)
                if not _HELP.search(line):
                    lines.append(line.strip())
        return esptool.wait(), "\n".join(lines)
    finally:
        watch.cancel()
        esptool.kill()
        esptool.wait()
        if esptool.stdout:
            esptool.stdout.close()


def _meaning(port: str, facts: BoardFacts, image: Path, said: str) -> Exception:
    if "No module named esptool" in said:
        return ImageError("esptool is not there; pip install esptool brings it")
    if _CLOSED.search(said):
        return why_closed(port)
    if other := _OTHER_CHIP.search(said):
        return WrongBoard(
            f"{facts.name} has an {facts.mcu}, and {other[0]} (esptool, on {port}); choose "
            "--board and --image for the chip that is there"
        )
    if _SILENT.search(said):
        return NotMicroPython(
            f"the chip on {port} does not answer in download mode; hold its BOOT button, press "
            "and release reset, let go of BOOT, and try again (is the cable one for data?)"
        )
    if _WORN.search(said):
        return ImageError(
            f"what was written to {port} reads back otherwise; the flash may be worn, or the "
            "power weak: another cable or port, then another board"
        )
    last = said.splitlines()[-1] if said else "nothing at all"
    if "No such file" in said or "disconnected" in said:
        return PortError(f"the port {port} vanished while the image was written; try again")
    return ImageError(f"esptool could not write {image.name} to {port}; it said: {last}")
