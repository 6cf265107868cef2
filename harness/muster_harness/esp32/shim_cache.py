# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Compiles the shims to .mpy once, into a cache folder named by their digest."""

import hashlib
import tempfile
from pathlib import Path

from muster_harness.cache import cache_folder
from muster_harness.compiler import compile_mpy

SHIMS = Path(__file__).parent / "shims"
# In tracebacks, whose frames of this name are left out where it can be done (shims/native.py): an
# ESP32 has none of them, for these modules are C there.
_SHOWN = "<board>"


def compiled_shims(folder: Path = SHIMS) -> Path:
    """Return a folder with every shim as .mpy, compiled if this version has not been yet."""
    sources = sorted(folder.rglob("*.py"))
    digest = hashlib.sha256()
    for source in sources:
        digest.update(
            _SHOWN.encode()
            + b"\0"
            + str(source.relative_to(folder)).encode()
            + b"\0"
            + source.read_bytes()
            + b"\0"
        )
    made = cache_folder("shims") / f"{digest.hexdigest()[:16]}"
    if not made.is_dir():
        _compile(folder, sources, made)
    return made


def _compile(root: Path, sources: list[Path], folder: Path) -> None:
    # Into a folder of its own and then renamed: boards may start at the same moment.
    with tempfile.TemporaryDirectory(dir=folder.parent) as made:
        build = Path(made) / "shims"
        build.mkdir()
        for source in sources:
            # line numbers in tracebacks are not worth their heap
            made_as = build / source.relative_to(root).with_suffix(".mpy")
            compile_mpy(source, made_as, _SHOWN, optimise=3)
        try:
            build.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
