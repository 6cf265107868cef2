# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`make bench`: measures, prints a table, and writes build/bench.json (flat: name to number)."""

import json
import sys
from pathlib import Path

from tests.bench import budget, bundle, compiled, crypto, deployment, idf_heap, loop, onboarding

ROOT = Path(__file__).resolve().parents[2]
RESULT = ROOT / "build" / "bench.json"

# Bars of the design: the most that is allowed.
BARS = {
    "onboarding.bytes_5_to_6": 2304,
    "onboarding.round_trips_4_to_6": 2,
    "onboarding.min_heap_1k_bytes": 80 * 1024,
    "onboarding.min_heap_4k_bytes": 112 * 1024,
    "bundle.min_heap_4k_bytes": 112 * 1024,
    "crypto.garbage_per_kib_32bit": 16 * 1024,
    "crypto.longest_block_ms": 2.5,
    "loop.longest_block_ms": 2.5,
    "deploy.first_s": 4,
    "deploy.unchanged_s": 0.3,
    "board.boot_to_repl_s": 0.05,
}


def main() -> int:
    found: dict[str, float] = {}
    for name, measure in (
        ("firmware", compiled.measure),
        ("crypto", crypto.measure),
        ("event loop", loop.measure),
        ("onboarding", onboarding.measure),
        ("bundle", bundle.measure),
        ("deployment", deployment.measure),
        ("ESP-IDF's heap", idf_heap.measure),
        ("budget", budget.measure),
    ):
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        found |= measure()
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
    width = max(map(len, found))
    over = 0
    for name, value in sorted(found.items()):
        bar = BARS.get(name)
        verdict = "" if bar is None else f"bar {bar:>8}  {'ok' if value <= bar else 'OVER'}"
        over += bar is not None and value > bar
        print(f"{name:<{width}}  {value:>12.6g}  {verdict}".rstrip())
    print(f"written to {RESULT.relative_to(ROOT)}")
    changed = budget.differences(found, budget.SECTIONS)
    for line in changed:
        print(line)
    if changed:
        print(f"if that is meant: {budget.RENEW}")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
