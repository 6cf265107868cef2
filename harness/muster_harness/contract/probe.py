# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A probe: steps on a board, the output that each has to give, and the source of that knowledge.

A file of probes/ begins with lines `# `: its subject, and then `From:`, the source. Others may
follow: `Chips:` names the chips that the probe holds for, `Network:` says that it joins a network,
and `Only: emulated` that it scripts things that no desk has. Then come steps:

    >>> run            statements in the raw REPL
    print(6 * 7)
    <<<
    42
    <<< esp32c3        what is expected of other chips, if they differ
    43

The other kinds of steps are `type`, one line at the prompt, which may reset the board, with all
output until the prompt comes back; `pour 400`, statements that print "ready" and are then sent so
many bytes; and `air`, statements on this host, about `air`, `home` (the network that the board
shall join) and `board`.

Statements on the board find the network's SSID and KEY, and this host's address there as HOST. In
the expected output, `...` stands for any text in a line, and alone on a line for any lines.
"""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast

from muster_harness.errors import HarnessError

PROBES = Path(__file__).parent / "probes"
_STEP = re.compile(
    r"^>>> (run|type|air|pour)(?: (\d+))?\n(.*?)^<<<\n(.*?)(?=^>>> |^<<< |\Z)"
    r"((?:^<<< [^\n]+\n.*?)*)(?=^>>> |\Z)",
    re.DOTALL | re.MULTILINE,
)
_OTHER = re.compile(r"^<<< ([^\n]+)\n(.*?)(?=^<<< |\Z)", re.DOTALL | re.MULTILINE)
_HEAD = re.compile(r"^# (From|Chips|Network|Only): (.*(?:\n#  .*)*)", re.MULTILINE)


@dataclass(frozen=True)
class Step:
    how: Literal["run", "type", "air", "pour"]
    code: str
    expected: str
    count: int = 0  # bytes to pour
    others: Mapping[str, str] = field(default_factory=dict)  # by chip

    def expected_on(self, chip: str) -> str:
        return self.others.get(chip, self.expected)


@dataclass(frozen=True)
class Probe:
    name: str
    source: str  # e.g. "ports/esp32/machine_rtc.c"
    steps: tuple[Step, ...]
    chips: frozenset[str] = frozenset()  # none: it holds for all
    wants_network: bool = False
    is_for_emulated_only: bool = False


def load_probes(folder: Path = PROBES) -> list[Probe]:
    """Read all probes of a folder, by their names. Raises HarnessError for a malformed one."""
    probes = [_parse(path) for path in sorted(folder.glob("*.probe"))]
    if not probes:
        raise HarnessError(f"{folder} holds no .probe file; is the installation complete?")
    return probes


def _parse(path: Path) -> Probe:
    text = path.read_text()
    top, begin, _ = text.partition("\n>>> ")
    head = {key: re.sub(r"\n#\s+", " ", value) for key, value in _HEAD.findall(top)}
    steps = tuple(
        Step(
            cast("Literal['run', 'type', 'air', 'pour']", how),
            code,
            expected,
            int(count or 0),
            {chip: other for chips, other in _OTHER.findall(others) for chip in chips.split()},
        )
        for how, count, code, expected, others in _STEP.findall(text)
    )
    is_for_emulated_only = head.get("Only") == "emulated"
    if (
        "From" not in head
        or not begin
        or text.count("\n>>> ") != len(steps)
        or (any(step.how == "air" for step in steps) and not is_for_emulated_only)
    ):
        raise HarnessError(
            f"{path.name} is no probe: it needs a line `# From: …`, and steps of `>>> run`, "
            "`>>> type`, `>>> pour N` or, with `# Only: emulated`, `>>> air`; code, `<<<`, and "
            "what is expected"
        )
    return Probe(
        path.stem,
        head["From"],
        steps,
        frozenset(head.get("Chips", "").split()),
        "Network" in head,
        is_for_emulated_only,
    )


def difference(expected: str, seen: str) -> str:
    """Return a readable diff; an empty one means that the output is as expected."""
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
