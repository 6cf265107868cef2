# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The firmware as it is measured: compiled, as a board gets it."""

import shutil
from functools import cache
from pathlib import Path

from muster_harness.deploy.layout import lay_out

ROOT = Path(__file__).resolve().parents[2]


@cache
def compiled() -> Path:
    """The folder that holds what a board's filesystem would; made once a run."""
    tree = ROOT / "build" / "bench-firmware"
    shutil.rmtree(tree, ignore_errors=True)
    lay_out(ROOT / "firmware", tree, "mpy")
    return tree


def measure() -> dict[str, float]:
    sizes = [path.stat().st_size for path in compiled().rglob("*.mpy")]
    return {"firmware.mpy_bytes": sum(sizes), "firmware.files": len(sizes)}
