# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`make hil` as a person runs it, rehearsed on what `make emulate` offers: a pty and a socket.

The tests run in a process of their own and know nothing of the emulation: a serial port, and a rig
file with the commands that press the button and switch the power.
"""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_HIL_S = 110
# Two of the files with unit tests stand for all of them, which run without a board too.
_SOME = "test_board or test_small_parts or test_documents"


@pytest.fixture
def emulated(tmp_path: Path) -> Iterator[list[str]]:
    """The names of the port that a running `muster-unit emulate` offers."""
    command = [sys.executable, "-m", "harness", "emulate", "--directory", str(tmp_path / "unit")]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        killer = threading.Timer(_HIL_S, process.kill)
        killer.start()
        try:
            assert process.stdout
            yield [process.stdout.readline().decode().split()[1] for _ in range(2)]
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
        finally:
            killer.cancel()
            process.kill()


@pytest.mark.parametrize(
    ("which", "chosen"),
    [
        (0, f"the_nine_steps or {_SOME}"),
        (1, "the_nine_steps or comes_back or profile or taken_off"),
    ],
    ids=["pty", "socket"],
)
def test_hil_is_green_on_the_emulated_board(
    emulated: list[str], tmp_path: Path, which: int, chosen: str
) -> None:
    options = [f"--hil-board={emulated[which]}", "--hil-rig", str(tmp_path / "unit" / "rig.toml")]
    options += ["--hil-log-dir", str(tmp_path / "logs")]
    # A root of its own: the gathered output of the suite is not to be overwritten.
    root = ["--rootdir", str(tmp_path), "-c", str(ROOT / "pyproject.toml")]
    command = [sys.executable, "-m", "pytest", *root, "-p", "no:cacheprovider", "-k", chosen]
    done = subprocess.run(
        [*command, *options, "tests/hil", "tests/system/test_nine_steps.py"],
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if k != "PYTEST_ADDOPTS"},
        capture_output=True,
        text=True,
        timeout=_HIL_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "skipped" not in done.stdout
    assert "failed" not in done.stdout
    assert re.search(r" [1-9]\d* passed", done.stdout)
