# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`make bench`: measures, prints a table, and writes build/bench.json (flat: name to number).

It fails for what is worse than its bar or its budget by more than its noise, and for nothing else;
each such figure has one line at the end, with what to do.
"""

import json
import sys
from pathlib import Path

from tests.bench import (
    aims,
    at_once,
    board,
    budget,
    bundle,
    commanded,
    compiled,
    crypto,
    deployment,
    fleet,
    growth,
    holding,
    idf_heap,
    indistinguishable,
    loop,
    onboarding,
    onem2m,
)

ROOT = Path(__file__).resolve().parents[2]
RESULT = ROOT / "build" / "bench.json"

# Bars of the design: the most that is allowed. Times depend on what else the machine does.
TIME_NOISE = 0.25
BARS = {
    "onboarding.bytes_5_to_6": 2304,
    "onboarding.round_trips_4_to_6": 2,
    "onboarding.min_heap_1k_bytes": 80 * 1024,
    "onboarding.min_heap_4k_bytes": 112 * 1024,
    "bundle.min_heap_4k_bytes": 112 * 1024,
    "commanded.looks_min_heap_4k_bytes": 112 * 1024,
    "commanded.told_min_heap_4k_bytes": 112 * 1024,
    "crypto.garbage_per_kib_32bit": 16 * 1024,
    "crypto.longest_block_ms": 2.5,
    "loop.longest_block_ms": 2.5,
    # How far the area under the ROC curve is off 0.5: what the time of a refusal tells.
    "refusal.known_or_unknown": 0.03,
    "refusal.known_or_adopted": 0.03,
    "refusal.unknown_or_adopted": 0.03,
    "deploy.first_s": 4,
    "deploy.unchanged_s": 0.3,
    "board.boot_to_repl_s": 0.05,
    **board.BARS,
}


def main() -> int:
    found: dict[str, float] = {}
    for name, measure in (
        ("firmware", compiled.measure),
        ("crypto", crypto.measure),
        ("event loop", loop.measure),
        ("onboarding", onboarding.measure),
        ("bundle", bundle.measure),
        ("commands", commanded.measure),
        ("refusals", indistinguishable.measure),
        ("a fleet", fleet.measure),
        ("a fleet that grows", growth.measure),
        ("how long writers wait", holding.measure),
        ("a crowd", at_once.measure),
        ("the platform", onem2m.measure),
        ("deployment", deployment.measure),
        ("an emulated board", board.measure),
        ("ESP-IDF's heap", idf_heap.measure),
        ("budget", budget.measure),
    ):
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        found |= measure()
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
    width = max(map(len, found))
    for name, value in sorted(found.items()):
        bar = f"bar {BARS[name]:>8}" if name in BARS else str(aims.AIMS.get(name, ""))
        print(f"{name:<{width}}  {value:>12.6g}  {bar}".rstrip())
    print(f"written to {RESULT.relative_to(ROOT)}")
    return report(found)


def over_bars(found: dict[str, float]) -> list[str]:
    """The figures that are over their bar by more than their noise, one line each."""
    told = []
    for name, bar in BARS.items():
        is_time = name.endswith(("_s", "_ms"))
        if found.get(name, 0) > bar * (1 + TIME_NOISE if is_time else 1):
            remedy = "measure again on a quiet machine, then look" if is_time else "look"
            told.append(
                f"{name} is {found[name]:g}, its bar is {bar:g}:"
                f" {remedy} for what has changed since the last release"
            )
    return told


def report(found: dict[str, float]) -> int:
    """Say what is not as agreed; the exit status, 1 for what is worse."""
    told = budget.compare(found, budget.SECTIONS)
    for line in told.other:
        print(line)
    for line in told.better:
        print(f"better: {line}")
    if told.better or told.other:
        print(f"to agree on that: {budget.RENEW}")
    for line in aims.missed(found):
        print(f"not reached here: {line}")
    worse = over_bars(found) + told.worse
    for line in worse:
        print(f"WORSE: {line}")
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
