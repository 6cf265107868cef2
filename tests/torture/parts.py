# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The figures and findings of a part of the torture."""

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

# What must never happen to a device; the figures of build/torture.json are named so.
BRICKED = "bricked"  # it does not start, or does not come home by itself
HALF = "half configurations"  # it runs on what was never a whole configuration
LOST = "lost identities"
KINDS = (BRICKED, HALF, LOST)


@dataclass(frozen=True)
class Fault:
    """A fault in a sentence, and which of KINDS it is, if any."""

    text: str
    kind: str | None = None

    def after(self, words: str) -> "Fault":
        """The same with some words before it."""
        return Fault(f"{words}: {self.text}", self.kind)


@dataclass
class Part:
    """Figures add up; a finding is one sentence that says how to see it again."""

    name: str
    figures: dict[str, int] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)  # of KINDS, among the findings
    is_quiet: bool = False
    began: float = field(default_factory=time.monotonic)

    def count(self, what: str, number: int = 1) -> None:
        self.figures[what] = self.figures.get(what, 0) + number

    def find(self, fault: Fault) -> None:
        self.findings.append(fault.text)
        if fault.kind is not None:
            self.kinds[fault.kind] += 1
        self.say(f"FINDING: {fault.text}")

    def say(self, text: str) -> None:
        """A line of progress."""
        if not self.is_quiet:
            print(f"{self.name}: {text}", flush=True)

    def document(self) -> dict[str, Any]:
        return {
            "part": self.name,
            "figures": self.figures,
            "findings": self.findings,
            "kinds": dict(self.kinds),
            "seconds": round(time.monotonic() - self.began, 1),
        }
