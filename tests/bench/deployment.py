# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The time that files take to a board on a line of 115200 baud, beside `mpremote cp -r`."""

import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from muster_harness.air.air import Air
from muster_harness.deploy.firmware import deploy_firmware
from muster_harness.units.emulated import EmulatedBoard
from muster_harness.wire.repl import REPL

BAUD = 115200
FILES, SIZE_BYTES = 20, 67_000

_COPY_S = 120
_REPEATS = 5


def measure() -> dict[str, float]:
    """Seconds; each board is new, and both sides send the same source files."""
    with tempfile.TemporaryDirectory(prefix="muster-bench-") as made:
        source = _source(Path(made) / "firmware")
        with Air() as air:
            found = _ours(Path(made), source, air) | _mpremote(Path(made), source, air)
    return found | {"board.boot_to_repl_s": boot_to_repl()}


def boot_to_repl() -> float:
    """From the power switch to an answer at the raw REPL; the quickest of several starts, because
    the others tell what else the machine does."""
    with (
        tempfile.TemporaryDirectory(prefix="muster-bench-") as made,
        Air() as air,
        EmulatedBoard(Path(made) / "board", air=air) as board,
    ):
        return min(_start(board) for _ in range(_REPEATS))


def _start(board: EmulatedBoard) -> float:
    seconds = _timed(lambda: _to_raw_repl(board))
    board.power_off()
    return seconds


def _to_raw_repl(board: EmulatedBoard) -> None:
    board.forget_output()
    board.power_on()
    board.expect(rb">>> ")
    board.write(b"\r\x01")
    board.expect(rb"raw REPL; CTRL-B to exit\r\n>")


def _source(folder: Path) -> Path:
    """Source files as people write them: words, blanks and numbers, half of it seen before."""
    rng = random.Random(67)
    (folder / "pkg").mkdir(parents=True)
    (folder / "boot.py").write_text("# nothing\n")
    (folder / "main.py").write_text("import pkg\n")
    words = ["self", "value", "return", "timeout_ms", "buffer", "await", "register", "if", "len"]
    names = ["__init__", *(f"module_{n}" for n in range(FILES - 3))]
    for file in names:
        lines: list[str] = []
        while sum(map(len, lines)) < SIZE_BYTES // len(names):
            number = rng.randrange(10**6)
            lines.append(
                f"    {rng.choice(words)}_{number} = {' + '.join(rng.sample(words, 3))}\n"
            )
        (folder / "pkg" / f"{file}.py").write_text("def function(self):\n" + "".join(lines))
    return folder


def _ours(made: Path, source: Path, air: Air) -> dict[str, float]:
    with EmulatedBoard(made / "ours", air=air, baud=BAUD) as board:
        board.power_on()
        board.expect(rb">>> ")

        def deploy() -> object:
            return deploy_firmware(board.port, source, form="py")

        return {"deploy.first_s": _timed(deploy), "deploy.unchanged_s": _quickest(deploy)}


def _mpremote(made: Path, source: Path, air: Air) -> dict[str, float]:
    with EmulatedBoard(made / "mpremote", air=air, baud=BAUD) as board:
        board.power_on()
        board.expect(rb">>> ")
        with REPL(board.port) as repl:
            repl.exec("import os; os.mkdir('/lib')")
        command = [sys.executable, "-m", "mpremote", "connect", board.port]
        command += ["cp", str(source / "boot.py"), str(source / "main.py"), ":", "+"]
        command += ["cp", "-r", str(source / "pkg"), ":lib/"]

        def copy() -> None:
            subprocess.run(command, check=True, capture_output=True, timeout=_COPY_S)

        return {"mpremote.first_s": _timed(copy), "mpremote.unchanged_s": _quickest(copy)}


def _quickest(do: Callable[[], object]) -> float:
    return min(_timed(do) for _ in range(_REPEATS))


def _timed(do: Callable[[], object]) -> float:
    begin = time.monotonic()
    do()
    return round(time.monotonic() - begin, 3)
