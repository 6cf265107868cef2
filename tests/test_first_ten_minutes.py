# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""docs/first-ten-minutes.md, typed again: is every line still what a newcomer sees?"""

import os
import re
import shutil
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import secrecy
from tests.children import AtTerminal

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs" / "first-ten-minutes.md"
_BLOCK = re.compile(r"^```console (\d)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_PROMPT = "$ "
_WAIT_S = 60.0
# Lines of the first minute that the clone of a test has no part in.
_ONCE = re.compile(r"\$ (git clone|cd )|Set(ting)? up |  [\w ]+: [\d.]+ s$")
_TYPED_AT_BOARD = ("reset", "press")
# What differs from run to run: names that are made up, numbers, and how wide a column is.
_VARYING = re.compile(r"M-[A-Z0-9]{8}|C(?:muster|reader)[0-9a-z]+|\d[\d.:,]*|\s+")


@dataclass(frozen=True)
class Line:
    """A line of the document, and the terminal in which it stands."""

    terminal: int
    text: str

    @property
    def is_command(self) -> bool:
        return self.text.startswith(_PROMPT)

    @property
    def is_typed(self) -> bool:
        return self.is_command or self.text in _TYPED_AT_BOARD

    @property
    def pattern(self) -> str:
        parts, at = [], 0
        for found in _VARYING.finditer(self.text):
            parts += [re.escape(self.text[at : found.start()]), r"\s+" if found[0].isspace() else
                      r"[\w.:,-]+"]  # fmt: skip
            at = found.end()
        return "".join([*parts, re.escape(self.text[at:])])


def lines() -> list[Line]:
    """The lines that are typed or said, without those that are left out with an ellipsis."""
    return [
        Line(int(number), line)
        for number, block in _BLOCK.findall(DOCUMENT.read_text())
        for line in block.splitlines()
        if line.strip() not in ("", "…") and not _ONCE.match(line)
    ]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The repository as it is now, with the environment of this one: set-up is another test."""
    clone = tmp_path / "muster"
    left_out = shutil.ignore_patterns(
        ".git", ".venv", "build", "*.egg-info", "__pycache__", ".*_cache"
    )
    shutil.copytree(ROOT, clone, symlinks=True, ignore=left_out)
    (clone / ".venv").symlink_to(sys.prefix)
    for file in clone.glob("*"):  # nothing is to be set up anew
        os.utime(file, (0, 0), follow_symlinks=False)
    for part in ("host_server", "harness"):
        os.utime(clone / part / "pyproject.toml", (0, 0))
    return clone


@pytest.fixture
def terminals(clone: Path) -> Iterator[dict[int, AtTerminal]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        portal = f"127.0.0.1:{free.getsockname()[1]}"
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{clone / 'host_server'}:{clone / 'harness'}",
        "PS1": _PROMPT,
        "TERM": "dumb",
        "LANG": "C.UTF-8",
        "HOME": str(clone.parent),
        # Whoever has a portal at the usual port keeps it.
        "MUSTER_PORTAL_LISTEN": portal,
        "MUSTER_PORTAL_URL": f"http://{portal}",
    }
    opened = {n: AtTerminal(["sh", "-i"], environment, clone, _WAIT_S) for n in (1, 2, 3)}
    try:
        for terminal in opened.values():
            terminal.expect_exact(_PROMPT)
        yield opened
    finally:
        for terminal in opened.values():
            terminal.close()


def noted_secrets(clone: Path) -> None:
    for file in (clone / "build" / "emulated" / "factory-password", clone / "labels.csv"):
        if file.exists():
            secrecy.hide(file.read_text().strip().rpartition(":")[2])


@pytest.mark.timeout(300)
def test_transcript_is_what_a_newcomer_sees(terminals: dict[int, AtTerminal], clone: Path) -> None:
    script = lines()
    assert sum(line.is_command for line in script) >= 8
    names: dict[str, str] = {}  # ports and addresses of the document, and those of this run
    last: dict[int, Line] = {}
    for line in script:
        terminal = terminals[line.terminal]
        if line.is_typed:
            if line.is_command and last.get(line.terminal):
                terminal.expect_exact(f"\n{_PROMPT}")
            text = line.text.removeprefix(_PROMPT)
            for shown, name in names.items():
                text = text.replace(shown, name)
            terminal.sendline(text)
        else:
            terminal.expect(line.pattern)
            noted_secrets(clone)
            if line.text.startswith(("port ", "network   MUSTER")):
                assert isinstance(terminal.match, re.Match)
                names[line.text.split()[-1]] = terminal.match[0].split()[-1].decode()
        last[line.terminal] = line


def test_minutes_are_ten_at_most_of_which_set_up_takes_less_than_five() -> None:
    text = DOCUMENT.read_text()
    (set_up,) = re.findall(r"^Set up in (\d+) s$", text, re.MULTILINE)
    assert int(set_up) < 300
    headings = re.findall(r"^## (\d+) to (\d+)", text, re.MULTILINE)
    assert max(int(end) for _, end in headings) <= 10
