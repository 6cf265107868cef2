# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What a part of the torture has counted and found."""

import time
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Part:
    """Figures add up; a finding is one sentence that says how to see it again."""

    name: str
    figures: dict[str, int] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)
    is_quiet: bool = False
    began: float = field(default_factory=time.monotonic)

    def count(self, what: str, number: int = 1) -> None:
        self.figures[what] = self.figures.get(what, 0) + number

    def find(self, text: str) -> None:
        self.findings.append(text)
        self.say(f"FINDING: {text}")

    def say(self, text: str) -> None:
        """A line of progress."""
        if not self.is_quiet:
            print(f"{self.name}: {text}", flush=True)

    def document(self) -> dict[str, Any]:
        return {
            "part": self.name,
            "figures": self.figures,
            "findings": self.findings,
            "seconds": round(time.monotonic() - self.began, 1),
        }
