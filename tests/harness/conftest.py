# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A board, its air, and ways to talk to both."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from muster_harness.air.air import Air
from muster_harness.loop import Loop
from muster_harness.units.emulated import EmulatedBoard
from muster_harness.wire.repl import REPL
from muster_harness.wire.tcp_port import TCPPort


@pytest.fixture
def loop() -> Iterator[Loop]:
    made = Loop("test")
    yield made
    made.stop()


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
def firmware_board(tmp_path: Path, firmware_flash: Path) -> Iterator[EmulatedBoard]:
    """A board that has the firmware and no identity, at its prompt."""
    shutil.copytree(firmware_flash, tmp_path / "unit")
    with EmulatedBoard(tmp_path / "unit", heap="512K") as board:
        board.power_on()
        board.expect(rb">>> ")
        yield board


@pytest.fixture(params=["pty", "socket"])
def firmware_port(request: pytest.FixtureRequest, firmware_board: EmulatedBoard) -> Iterator[str]:
    """The port of that board, by each of its names."""
    if request.param == "pty":
        yield firmware_board.port
    else:
        with TCPPort(firmware_board.port) as tcp:
            yield tcp.url


def write_file(repl: REPL, path: str, text: str) -> None:
    repl.exec(f"with open({path!r}, 'w') as f: f.write({text!r})")
