# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A board, its air, and ways to talk to both."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.air import Air
from harness.emulated import EmulatedBoard
from harness.repl import REPL

Mpremote = Callable[..., str]
MPREMOTE_S = 30


@pytest.fixture
def air() -> Iterator[Air]:
    with Air() as made:
        yield made


@pytest.fixture
def off_board(tmp_path: Path, air: Air) -> Iterator[EmulatedBoard]:
    """A new board that nobody has switched on."""
    with EmulatedBoard(tmp_path / "board", air=air) as made:
        yield made


@pytest.fixture
def board(off_board: EmulatedBoard) -> EmulatedBoard:
    """A new board at its prompt."""
    off_board.power_on()
    off_board.expect(rb">>> ")
    return off_board


@pytest.fixture
def repl(board: EmulatedBoard) -> Iterator[REPL]:
    with REPL(board.port) as made:
        yield made


@pytest.fixture
def mpremote(board: EmulatedBoard) -> Mpremote:
    """Runs the real mpremote on the board's port; fails with its words if it fails."""

    def run(*arguments: str) -> str:
        command = [sys.executable, "-m", "mpremote", "connect", board.port, *arguments]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=MPREMOTE_S, check=False
        )
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    return run


def write_file(repl: REPL, path: str, text: str) -> None:
    repl.exec(f"with open({path!r}, 'w') as f: f.write({text!r})")
