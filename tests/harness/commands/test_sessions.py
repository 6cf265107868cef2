# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Is a session with a board noted, and is another board held to it, on every kind of port?"""

import io
import json
import os
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from muster_harness.cli import main
from muster_harness.units.emulated import EmulatedBoard
from muster_harness.units.replay import Replayed, steps_of
from muster_harness.wire.recorder import Recorder
from muster_harness.wire.repl import REPL
from muster_harness.wire.session_file import SessionWriter, read_session
from muster_harness.wire.tcp_port import TCPPort
from tests.harness.wire.rfc2217_server import behind_rfc2217

# pyserial 3.5 starts its reader in an old way.
pytestmark = pytest.mark.filterwarnings("ignore:set(Daemon|Name):DeprecationWarning")

TYPED = b"import machine\rmachine.unique_id().hex()\rprint(6 * 7)\rb'\\xff'\r"
KINDS = ("pty", "socket", "rfc2217")


@pytest.fixture(params=KINDS)
def port(request: pytest.FixtureRequest, board: EmulatedBoard) -> Iterator[str]:
    """The port of a board, by each kind of name."""
    if request.param == "pty":
        yield board.port
    elif request.param == "socket":
        with TCPPort(board.port) as tcp:
            yield tcp.url
    else:
        with behind_rfc2217(board) as server:
            yield server.url


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[bytes], None]]:
    """Types on the standard input of a command, which goes on until it is told to end."""
    ends: list[int] = []

    def type_(data: bytes) -> None:
        read, write = os.pipe()
        ends.extend((read, write))
        os.write(write, data)
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(os.fdopen(read, "rb", closefd=False)))

    yield type_
    for end in ends:
        os.close(end)


def record(path: Path, port: str, *options: str) -> str:
    assert main(["record", str(path), "--port", port, "--seconds", "1", *options]) == 0
    return path.read_text()


def test_a_session_is_noted_and_boards_are_held_to_it(
    port: str, tmp_path: Path, typed: Callable[[bytes], None], capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "session.jsonl"
    typed(TYPED)
    text = record(path, port)
    assert "\r\n42\r\n>>> " in capfd.readouterr().out
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    head, *events = [json.loads(line) for line in text.splitlines()]
    assert head["muster_session"] == 1
    assert head["port"] == port
    assert {"to": TYPED.decode(), "at": events[0]["at"]} in events
    assert any(event.get("from") == "42\r\n" for event in events)
    times = [event["at"] for event in events]
    assert times == sorted(times)
    assert main(["replay", str(path), "--patience", "20"]) == 0
    assert "answers as recorded: 1 step" in capfd.readouterr().out
    assert main(["replay", str(path), "--port", port, "--patience", "20"]) == 0
    path.write_text(text.replace('"42\\r', '"43\\r'))
    capfd.readouterr()
    assert main(["replay", str(path), "--port", port, "--patience", "0.5"]) == 1
    said = capfd.readouterr()
    assert "  - 43\n  + 42\n" in said.out
    assert "answers otherwise in 1 of 1 step" in said.err
    assert main(["replay", str(path), "--port", port, "--ignore", "^4."]) == 0


def test_a_reset_is_noted_and_done(
    board: EmulatedBoard, tmp_path: Path, typed: Callable[[bytes], None],
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    path = tmp_path / "boot.jsonl"
    board.write_file("/main.py", b"print('hello')\n")
    typed(b"")
    with behind_rfc2217(board, wires_reset=True) as server:
        text = record(path, server.url, "--reset")
        assert [json.loads(line) for line in text.splitlines() if '"reset"' in line]
        assert '"from": "hello\\r\\n"' in text
        assert main(["replay", str(path), "--port", server.url]) == 0
    # A board without that program starts as well, and says something else.
    capfd.readouterr()
    assert main(["replay", str(path), "--patience", "0.5"]) == 1
    assert "after a reset" in (said := capfd.readouterr().out)
    assert "  - hello\n" in said
    assert main(["replay", str(path), "--port", board.port]) != 0
    assert "the session has a reset" in capfd.readouterr().err


def test_what_another_program_says_through_the_recorder_is_noted(
    board: EmulatedBoard, tmp_path: Path
) -> None:
    path = tmp_path / "session.jsonl"
    writer = SessionWriter(path, board.port)
    with Recorder(board.port, writer, lambda _: None) as recorder, REPL(recorder.url) as repl:
        assert repl.eval("6 * 7") == 42
        repl.exec("open('/x.py', 'w').write('x = 1')")
    writer.close()
    steps = steps_of(read_session(path))
    assert len(steps) > 5
    with Replayed(board.port, None) as held:
        assert list(held.replay(steps, patience_s=20)) == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "is empty"),
        ("{}\n", "session.jsonl:1 is no line of a session"),
        ('{"muster_session": 2}\n', "muster_session 1"),
        ('{"muster_session": 1}\n{"at": 1}\n', "session.jsonl:2 is no line"),
        ('{"muster_session": 1}\n{"at": 1, "from_hex": "0g"}\n', "session.jsonl:2 is no line"),
        ('{"muster_session": 1}\n{"at": 1, "to": 7}\n', "session.jsonl:2 is no line"),
        ('{"muster_session": 1}\n', "nothing is said or typed"),
    ],
)
def test_what_is_no_session_is_said_with_its_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], text: str, complaint: str
) -> None:
    path = tmp_path / "session.jsonl"
    path.write_text(text)
    assert main(["replay", str(path)]) == 1
    assert complaint in capfd.readouterr().err


def test_a_file_that_is_there_is_not_written_over(
    tmp_path: Path, board: EmulatedBoard, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "session.jsonl"
    path.write_text("mine")
    assert main(["record", str(path), "--port", board.port, "--seconds", "1"]) == 1
    assert "is there already" in capfd.readouterr().err
    assert path.read_text() == "mine"


def test_a_port_that_is_not_there_leaves_no_file(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "session.jsonl"
    assert main(["record", str(path), "--port", "socket://127.0.0.1:1"]) == 3
    assert not path.exists()
