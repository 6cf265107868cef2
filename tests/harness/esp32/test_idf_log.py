# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""ESP-IDF prints lines of its own between those of the program, and sometimes inside one."""

from pathlib import Path

import pytest

from muster_harness.air.air import Air
from muster_harness.errors import BoardError
from muster_harness.units.emulated import EmulatedBoard
from muster_harness.wire.repl import REPL
from tests.harness.air.on_board import WLAN


def test_a_line_comes_between_two_of_the_program(board: EmulatedBoard) -> None:
    board.write(b"print('be' + 'gin ', end=''); _ = input(); print('one'); print('two')\r")
    board.expect(rb"begin $")
    board.say_idf("sta is connecting, return error")
    board.write(b"\r")
    board.expect(rb"\r\nE \(\d+\) wifi:sta is connecting, return error\r\none\r\ntwo\r\n")


def test_bytes_are_printed_as_they_are(board: EmulatedBoard) -> None:
    board.say_idf(b"W (12) wifi:\xffodd")
    board.write(b"\r")
    board.expect(rb"W \(12\) wifi:\xffodd\r\n")


def test_a_line_may_come_inside_another(board: EmulatedBoard) -> None:
    board.write(b"import time; time.sleep_ms(300); print('abcdefgh')\r")
    board.expect(rb"'abcdefgh'\)\r\n")
    board.say_idf("alloc eb fail", tag="net80211", inside=True)
    board.expect(rb"\r?\n?a\w+E \(\d+\) net80211:alloc eb fail\r\n\w+h\r\n")


def test_what_is_no_line_is_refused(board: EmulatedBoard) -> None:
    for message in ("", "two\nlines", "x" * 300):
        with pytest.raises(BoardError, match="one line"):
            board.say_idf(message)
    with pytest.raises(BoardError, match="level"):
        board.say_idf("x", level="Q")
    board.power_off()
    with pytest.raises(BoardError, match="off"):
        board.say_idf("x")


@pytest.mark.parametrize("prints", [False, True])
def test_the_drivers_own_errors_are_printed_if_asked_for(
    tmp_path: Path, air: Air, prints: bool
) -> None:
    with EmulatedBoard(tmp_path / "board", air=air, prints_idf_errors=prints) as board:
        board.power_on()
        board.expect(rb">>> ")
        with REPL(board.port) as repl:
            repl.exec(WLAN + "w.connect('absent')")
            repl.exec("try:\n    w.config(pm=0)\nexcept OSError: pass")
        assert (b"wifi:sta is connecting, cannot set config\r\n" in board.output) is prints
