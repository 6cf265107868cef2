# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`make hil` as a person runs it, rehearsed on what `make emulate` offers: a pty and a socket.

The tests run in a process of their own and know nothing of the emulation: a serial port, and a rig
file with the commands that press the button and switch the power, or without them.
"""

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.children import ended

ROOT = Path(__file__).resolve().parents[2]
_HIL_S = 240
_NINE_STEPS = "tests/system/test_nine_steps.py"
# Two of the files with unit tests stand for all of them, which run without a board too.
_ON_BOARD = "tests/hil/test_unit_tests.py::test_on_the_board"
_UNIT_TESTS = (
    "tests/hil/test_board.py",
    f"{_ON_BOARD}[test_timeline]",
    f"{_ON_BOARD}[test_documents]",
    "tests/hil/test_unit_tests.py::test_the_tests_are_taken_off_the_board",
)
# unit of the rig, whether it is wired, what is run, and how that ends: two tests need an air
REHEARSALS = {
    "socket": ("tcp", True, (_NINE_STEPS,), "7 passed, 2 skipped"),
    "pty": ("pty", True, (*_UNIT_TESTS, _NINE_STEPS), "12 passed, 2 skipped"),
    "no wires": ("tcp", False, (_NINE_STEPS,), "5 passed, 4 skipped"),
}


@contextlib.contextmanager
def emulated(folder: Path) -> Iterator[Path]:
    """The rig file of a running `muster-unit emulate`."""
    command = [sys.executable, "-m", "muster_harness", "emulate", "--directory", str(folder)]
    started = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    with ended(started) as process:
        assert process.stdout
        while not process.stdout.readline().startswith(b"rig"):
            assert process.poll() is None
        yield folder / "rig.toml"
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def begin(folder: Path, name: str, stack: contextlib.ExitStack) -> subprocess.Popen[str]:
    """A `make hil`; what it says goes to the file `said`."""
    unit, is_wired, chosen, _ = REHEARSALS[name]
    offered = stack.enter_context(emulated(folder / "unit")).read_text()
    rig = folder / "rig.toml"
    rig.write_text(offered if is_wired else re.sub(r"(?m)^(button|power) = .*", "", offered))
    rig.chmod(0o600)
    options = [f"--hil-board={unit}", "--hil-rig", str(rig), "--hil-log-dir", str(folder / "log")]
    # A root of its own: the gathered output of the suite is not to be overwritten.
    root = ["--rootdir", str(folder), "-c", str(ROOT / "pyproject.toml")]
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", *root, "-p", "no:cacheprovider", *options, *chosen],
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if k != "PYTEST_ADDOPTS"},
        stdout=stack.enter_context((folder / "said").open("w")),
        stderr=subprocess.STDOUT,
        text=True,
    )
    stack.callback(process.wait)
    stack.callback(process.kill)
    return process


@pytest.mark.timeout(_HIL_S + 30)
def test_hil_is_green_on_emulated_boards(tmp_path: Path) -> None:
    """All at once: they wait more than they compute."""
    with contextlib.ExitStack() as stack:
        processes = {}
        for name in REHEARSALS:
            (tmp_path / name).mkdir()
            processes[name] = begin(tmp_path / name, name, stack)
        ends = {name: process.wait(_HIL_S) for name, process in processes.items()}
    for name, (*_, outcome) in REHEARSALS.items():
        said = (tmp_path / name / "said").read_text()
        assert ends[name] == 0, said
        assert outcome in said.splitlines()[-1], said
