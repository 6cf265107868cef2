# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Do tests see all that a board prints, soon and in linear time?"""

import os
import time
from pathlib import Path

import pytest

from muster_harness import Air, EmulatedBoard, ExpectTimeout, HarnessError, JoinRefused
from muster_harness.units.serial_unit import SerialUnit
from muster_harness.wire.tcp_port import TCPPort

_LINES = 5000
_PRINT_MUCH = f"for i in range({_LINES}): print('x' * 99)"


def _took_s(board: EmulatedBoard, lines: int) -> float:
    began = time.process_time()
    assert len(board.exec(f"for i in range({lines}): print('x' * 99)")) == 100 * lines
    return time.process_time() - began


def test_a_long_output_costs_as_much_as_many_short_ones(board: EmulatedBoard) -> None:
    _took_s(board, 100)
    short_s = min(_took_s(board, 1000) for _ in range(3))
    assert _took_s(board, 10_000) < 25 * short_s + 0.2  # 100 times, if it were quadratic


def test_a_long_output_comes_whole_through_tcp_too(board: EmulatedBoard, tmp_path: Path) -> None:
    with TCPPort(board.port) as port, SerialUnit(port.url, tmp_path / "log") as unit:
        assert unit.exec(_PRINT_MUCH) == _LINES * ("x" * 99 + "\n")


@pytest.mark.parametrize("size", [0, 1, 1022, 1023, 1024, 50_000])
def test_a_file_is_read_as_it_was_written(board: EmulatedBoard, size: int) -> None:
    content = os.urandom(size)
    board.write_file("/content", content)
    assert board.read_file("/content") == content


def test_text_is_expected_like_bytes(board: EmulatedBoard) -> None:
    board.exec("print('grüße 42')")
    assert board.expect(r"grüße (\d+)")[1] == b"42"


def test_a_wait_without_an_end_is_refused_with_the_reason(board: EmulatedBoard) -> None:
    with pytest.raises(HarnessError, match="hang its tests"):
        board.expect(b"never", timeout_s=None)  # type: ignore[arg-type]
    assert board.exec("print(1)", timeout_s=None) == "1\n"


@pytest.mark.parametrize("kind", ["hard", "soft"])
def test_a_reset_begins_a_fresh_output(board: EmulatedBoard, kind: str) -> None:
    board.exec("print('before')")
    board.reset(kind)  # type: ignore[arg-type]
    board.expect(rb">>> ")
    with pytest.raises(ExpectTimeout):
        board.expect(rb"before", timeout_s=0)


def test_a_refusal_to_join_names_its_cause() -> None:
    with Air() as air:
        air.add_access_point("open", password=None)
        air.add_access_point("closed", password="a password of it")
        for network, password, cause in (
            ("open", "something", "it is open"),
            ("closed", None, "none was given"),
            ("closed", "another one", "the password is another"),
        ):
            with pytest.raises(JoinRefused, match=cause), air.visit(network, password):
                pass
