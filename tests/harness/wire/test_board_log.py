# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does the log of a board promise?"""

from pathlib import Path

import pytest

from muster_harness.errors import ExpectTimeout
from muster_harness.log import Log
from muster_harness.wire.board_log import BoardLog
from muster_harness.wire.output import Output


def logged(folder: Path, *parts: bytes | str) -> list[str]:
    """The log without its times: bytes are output of the board, words are events."""
    log = BoardLog(folder / "board.log")
    for part in parts:
        if isinstance(part, bytes):
            log.output(part)
        else:
            log.event(part)
    log.close()
    return [line[11:] for line in (folder / "board.log").read_text().splitlines()]


def test_line_stays_whole_whatever_happens_in_its_middle(tmp_path: Path) -> None:
    lines = logged(tmp_path, b"half a pass", "pin 2 is 1", b"word\r\nmore", "power off")
    assert lines == ["* pin 2 is 1", "< half a password", "* power off", "< more", "* closed"]


def test_what_a_terminal_cannot_show_is_escaped(tmp_path: Path) -> None:
    lines = logged(tmp_path, "Büro ".encode() + b"\xff\x00\x1b[1m\x80\n")
    assert lines == ["< Büro \\xff\\x00\\x1b[1m\\x80", "* closed"]


@pytest.mark.parametrize("after", [b"", b"x" * 4090])
def test_what_the_log_hides_is_not_in_a_failed_wait_either(tmp_path: Path, after: bytes) -> None:
    shared = Log(tmp_path / "test.log")
    log = BoardLog(None, "press", shared)
    output = Output(log.path, lambda: None, without_secrets=log.without_secrets)
    shared.hide("correct horse")
    output.append(b"joins with correct horse" + after)
    with pytest.raises(ExpectTimeout) as missed:
        output.expect(b"joined", 0)
    shared.close()
    assert "horse" not in str(missed.value)
    assert "…" in str(missed.value)


def test_a_secret_may_be_hidden_while_a_line_is_looked_through(tmp_path: Path) -> None:
    log = Log(tmp_path / "test.log")

    class Line(str):
        def replace(self, *_: object) -> str:
            log.hide("battery staple")
            return str(self)

    log.hide("correct horse")
    assert log.without_secrets(Line("a line")) == "a line"
    assert log.without_secrets("battery staple") == "…"
    log.close()
