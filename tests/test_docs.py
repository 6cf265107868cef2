# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Do the documents name only paths, links, make targets and parts that exist?"""

import re
from pathlib import Path

import pytest

from tests.parts import PARTS, ROOT

_LONGEST_LINE = 160
# Examples with a name of the reader's own, and what exists only after somebody has made it.
_MADE_UP = {"firmware/store", "boards/MY_BOARD.toml", "tests/shims/bluetooth.py", "tests/shims"}
_FOLDERS = ("firmware", "host_server", "harness", "tests", "boards", "docs")
_NAMED = re.compile(rf"(?:{'|'.join(_FOLDERS)})/[\w./-]*")
_LINKED = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")


def documents() -> list[Path]:
    beside = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("*/README.md")]
    return sorted([*beside, *ROOT.glob("harness/examples/*/README.md")])


def quoted(text: str) -> list[str]:
    """Return the words in `code`, and the lines of blocks."""
    blocks = re.findall(r"^```.*?\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))
    return [*inline, *(line for block in blocks for line in block.splitlines())]


def paths(text: str) -> set[str]:
    """Paths from the top of the repository that a text names in code."""
    found = set()
    for piece in quoted(text):
        for match in _NAMED.finditer(piece):
            before = piece[: match.start()][-1:]
            after = piece[match.end() :][:1]
            # Not a part of a longer path or address, and nothing with a place to fill in.
            if (
                before not in ("/", ".", "-", "_")
                and not before.isalnum()
                and after not in ("<", "*")
            ):
                found.add(match[0].rstrip("./"))
    return found - _MADE_UP


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_path_that_a_document_names_exists(document: Path) -> None:
    text = document.read_text()
    assert [path for path in sorted(paths(text)) if not (ROOT / path).exists()] == []
    linked = [match[1] for match in _LINKED.finditer(text)]
    assert [link for link in linked if not (document.parent / link).exists()] == []


def test_a_path_that_does_not_exist_is_seen() -> None:
    block = "```\npytest tests/nowhere.py::test_x\n```\n"
    text = "see `firmware/muster/wifi.py`, `a/tests/b.py`\n" + block
    assert paths(text) == {"firmware/muster/wifi.py", "tests/nowhere.py"}


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_target_and_part_that_a_document_names_exists(document: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    commands = "\n".join(quoted(document.read_text()))
    assert set(re.findall(r"^make ([a-z]+)", commands, re.MULTILINE)) <= targets
    named = ",".join(re.findall(r"PART=([a-z,]+)", commands) or ["help"])
    assert set(named.split(",")) <= {*PARTS, "help"}


@pytest.mark.parametrize(
    "name", ["README.md", "CONTRIBUTING.md", "tests/README.md", "host_server/README.md"]
)
def test_no_line_is_too_long_to_be_read(name: str) -> None:
    lines = (ROOT / name).read_text().splitlines()
    assert [n for n, line in enumerate(lines, 1) if len(line) > _LONGEST_LINE] == []
