# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The result of one run, as it is printed and kept in build/fuzz.json."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CASES = Path(__file__).parent / "cases"
FOUND = ROOT / "build" / "fuzz-found"
FILE = ROOT / "build" / "fuzz.json"
_MOST = 20


@dataclass
class Result:
    name: str
    kind: str  # "server" or "device"
    seed: int
    inputs: int = 0
    seconds: float = 0.0
    growth_bytes: int = 0  # of memory, from after the start to the end
    findings: list[str] = field(default_factory=list)
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def is_hopeless(self) -> bool:
        return len(self.findings) >= _MOST

    def found(self, case: Any, text: str) -> None:
        """Note it, once for each text, and keep the input in build/ for cases/."""
        if any(text[:60] == known[:60] for known in self.findings):
            return
        self.findings.append(text)
        FOUND.mkdir(parents=True, exist_ok=True)
        file = FOUND / f"{self.name}-{self.seed}-{len(self.findings)}.json"
        file.write_text(json.dumps({"input": case, "found": text}, indent=1) + "\n")

    def line(self) -> str:
        rate = self.inputs / self.seconds if self.seconds else 0.0
        text = (
            f"{self.name:<16} {self.inputs:>9,} inputs  {self.seconds:>7.1f} s  {rate:>7.0f}/s"
            f"  grew {self.growth_bytes / 1024:>7.1f} KiB  findings {len(self.findings)}"
        )
        return "\n".join([text, *(f"  {finding[:400]}" for finding in self.findings)])

    def figures(self) -> dict[str, Any]:
        rounded = {"seconds": round(self.seconds, 1)}
        own = {name: value for name, value in self.__dict__.items() if name != "more"}
        return own | self.more | rounded


def merged(file: Path, results: list[Result]) -> dict[str, Any]:
    """The file's document with these results in it; those of other names stay."""
    document: dict[str, Any] = {"fuzz": {}}
    if file.exists():
        document = json.loads(file.read_text())
    for result in results:
        document["fuzz"][result.name] = result.figures()
    return document
