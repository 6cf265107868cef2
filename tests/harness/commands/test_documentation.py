# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""docs/muster-unit.md shows every command, and its transcripts are what the commands say."""

import contextlib
import os
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from muster_harness.air.air import Air
from muster_harness.cli import COMMANDS, main
from muster_harness.deploy.labels import Label
from muster_harness.units.emulated import EmulatedBoard
from muster_harness.wire.tcp_port import TCPPort

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "muster-unit.md"
SERIAL, SOCKET = "/dev/ttyUSB0", "socket://127.0.0.1:4000"
# The label of the golden messages, which everybody may know.
PRINTED = Label("PRESS-4", bytes(range(20)))

Play = Callable[[str], str]


def transcripts(text: str) -> list[tuple[str, str]]:
    """Commands and what they said, from the blocks marked `console`."""
    found = []
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, said = part.partition("\n")
            found.append((command, said))
    return found


def plain(text: str) -> str:
    """Return what two runs have in common: no sizes, secrets, QR code or trailing blanks."""
    lines = [line.rstrip() for line in text.splitlines() if not re.search("[█▀▄]", line)]
    text = "\n".join(line for line in lines if line)
    text = re.sub(r"\b([A-Z2-7]{4} ){8}[A-Z2-7]{4}\b", "<secret>", text)
    text = re.sub(r"\b[A-Z2-7]{36}\b|\b[A-Z2-7]{16}\b", "<secret>", text)
    return re.sub(r"\d[\d.]*(-preview)?", "<n>", text)


@contextlib.contextmanager
def typing(printf: str) -> Iterator[None]:
    """Give a command what a `printf '…'` before it prints, as standard input."""
    if not printf:
        yield
        return
    _, text = shlex.split(printf)
    read, write = os.pipe()
    os.write(write, text.replace("\\r", "\r").encode())
    before = sys.stdin
    try:
        with os.fdopen(read) as sys.stdin:
            yield
    finally:
        sys.stdin = before
        os.close(write)


@pytest.fixture
def play(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Play]:
    """Runs a command of the document on a new board, in a folder with its label.txt."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "label.txt").write_text(PRINTED.text)
    (tmp_path / "boards").symlink_to(DOCUMENT.parents[1] / "boards")
    with Air() as air, EmulatedBoard(tmp_path / "board", air=air) as board:
        board.power_on()
        board.expect(rb">>> ")
        with TCPPort(board.port) as tcp:
            names = ((SERIAL, board.port), (SOCKET, tcp.url))

            def run(command: str) -> str:
                for shown, name in names:
                    command = command.replace(shown, name)
                typed, _, piped = command.rpartition(" | ")
                program, *arguments = shlex.split(piped)
                assert program == "muster-unit"
                with typing(typed), contextlib.redirect_stderr(sys.stdout):
                    code = main(arguments)
                said = "".join(capsys.readouterr())
                for shown, name in names:
                    said = said.replace(name, shown)
                return said + (f"(exit code {code})\n" if code else "")

            yield run


def test_the_transcripts_are_what_the_commands_say(play: Play) -> None:
    shown = transcripts(DOCUMENT.read_text())
    assert len(shown) >= 10
    for command, said in shown:
        assert plain(play(command)) == plain(said), command


def test_every_command_stands_in_the_document() -> None:
    text = DOCUMENT.read_text()
    missing = [c.words for c in COMMANDS if f"$ muster-unit {' '.join(c.words)}" not in text]
    assert missing == []


def test_the_exit_codes_of_the_document_are_those_of_the_help(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    told = re.findall(r"^  (\d)  (.+)$", capsys.readouterr().out, re.MULTILINE)
    text = DOCUMENT.read_text()
    assert len(told) == 8
    assert all(f"| {code} | {meaning} |" in text for code, meaning in told)
