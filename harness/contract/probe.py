# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A probe: a few steps on a board, what each has to print, and where that is known from.

A file of probes/ begins with `# ` lines, the last of which start with `From:`. Then come steps:

    >>> run            statements in the raw REPL, or `type`: one line at the prompt, which may
    print(6 * 7)       reset the board; then all is shown until the prompt comes back
    <<<
    42

In what is expected, `...` stands for any text in a line, and alone on a line for any lines.
"""

import difflib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from harness.errors import HarnessError

PROBES = Path(__file__).parent / "probes"
_STEP = re.compile(r"^>>> (run|type)\n(.*?)^<<<\n(.*?)(?=^>>> |\Z)", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Step:
    how: Literal["run", "type"]
    code: str
    expected: str


@dataclass(frozen=True)
class Probe:
    name: str
    source: str  # e.g. "ports/esp32/machine_rtc.c"
    steps: tuple[Step, ...]


def load_probes(folder: Path = PROBES) -> list[Probe]:
    """All probes of a folder by name. Raises HarnessError for one that is malformed."""
    probes = [_parse(path) for path in sorted(folder.glob("*.probe"))]
    if not probes:
        raise HarnessError(f"{folder} holds no .probe file; is the installation complete?")
    return probes


def _parse(path: Path) -> Probe:
    text = path.read_text()
    head, begin, _ = text.partition("\n>>> ")
    source = re.search(r"^# From: (.*(?:\n#  .*)*)", head, re.MULTILINE)
    steps = tuple(
        Step(cast("Literal['run', 'type']", how), code, expected)
        for how, code, expected in _STEP.findall(text)
    )
    if source is None or not begin or text.count("\n>>> ") != len(steps):
        raise HarnessError(
            f"{path.name} is no probe: it needs a line `# From: …`, and steps of `>>> run` or "
            "`>>> type`, code, `<<<`, and what is expected"
        )
    return Probe(path.stem, re.sub(r"\n#\s+", " ", source[1]), steps)


def difference(expected: str, seen: str) -> str:
    """A readable diff, or nothing if what was seen is what was expected."""
    pattern = "".join(_line_pattern(line) for line in expected.splitlines())
    if re.fullmatch(pattern, seen if seen.endswith("\n") or not seen else seen + "\n"):
        return ""
    wanted, found = expected.splitlines(), seen.splitlines()
    # lines that match count as equal, so that only the others are shown
    shown = [
        next((w for w in wanted if w != "..." and re.fullmatch(_line_pattern(w), f"{f}\n")), f)
        for f in found
    ]
    lines = difflib.unified_diff(wanted, shown, "expected", "seen", lineterm="", n=2)
    return "\n".join(lines) + "\n"


def _line_pattern(line: str) -> str:
    if line == "...":
        return r"(?:[^\n]*\n)*"
    return "[^\n]*".join(re.escape(part) for part in line.split("...")) + "\n"
