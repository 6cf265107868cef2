# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A model of what each chip without PSRAM has left for TLS with the online flow in its RAM."""

import tomllib
from pathlib import Path

from muster_harness.esp32.parts.idf_heap import left_before_tls
from muster_harness.esp32.parts.idf_heap_figures import FIGURES

_BUDGET = Path(__file__).with_name("budget.toml")


def measure() -> dict[str, float]:
    needed = tomllib.loads(_BUDGET.read_text())["heap"]["onboarding.min_heap_4k_bytes"]
    found: dict[str, float] = {}
    for chip in FIGURES:
        free, largest = left_before_tls(chip, needed)
        found |= {f"idf_heap.{chip}_free_bytes": free, f"idf_heap.{chip}_largest_bytes": largest}
    return found


if __name__ == "__main__":
    for name, value in measure().items():
        print(f"{name} = {value:g}")
