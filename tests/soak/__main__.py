# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`python -m tests.soak`: sixty days of a committed device, and the return of a thousand."""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.flash import make_flash
from tests.soak.life import live, written
from tests.soak.retries import DEVICES, after
from tests.soak.story import LEASE_S, nine_hours, sixty_days
from tests.soak.weather import rough_day, rough_days
from tests.soak.world import ROOT, World

_OUTAGES_S = (60, 600, 3600, 6 * 3600)
# In any one second, after an outage of ten minutes or more.
MOST_AT_ONCE = 0.02
_LONG = 600
_DAY = 1


def main() -> int:
    options = _options()
    retries, findings = _retries()
    usual, rough = (sixty_days, rough_days) if options.days > _DAY else (nine_hours, rough_day)
    plan = rough() if options.weather == "rough" else usual()
    with tempfile.TemporaryDirectory() as name:
        flash = make_flash(Path(name) / "flash")
        with World(Path(name), flash, LEASE_S) as world:
            soak = live(world, options.days, plan, options.limit)
    soak.findings += findings
    print(json.dumps(soak.__dict__, indent=1))
    written(soak, Path(options.json), retries)
    return 1 if soak.findings else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--days", type=float, default=62, help="of the device's life")
    parser.add_argument("--weather", choices=("usual", "rough"), default="usual")
    parser.add_argument("--limit", type=float, default=3600, help="seconds it may really take")
    parser.add_argument("--json", default=str(ROOT / "build/soak.json"))
    return parser.parse_args()


def _retries() -> tuple[dict[str, Any], list[str]]:
    figures, findings = {}, []
    for outage_s in _OUTAGES_S:
        found = after(outage_s)
        print(f"{DEVICES} devices after {outage_s} s without a server; {found.attempts} attempts")
        print(found.histogram())
        print(f"at most {found.peak_share:.1%} in one second, all within {found.last_s:.0f} s\n")
        figures[str(outage_s)] = {
            "peak_share": found.peak_share,
            "last_s": found.last_s,
            "attempts": found.attempts,
        }
        if outage_s >= _LONG and found.peak_share > MOST_AT_ONCE:
            findings.append(f"{found.peak_share:.1%} of all devices return in one second")
    return figures, findings


if __name__ == "__main__":
    sys.exit(main())
