# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Compiles the shims to .mpy once, into a cache folder named by their digest.

Their private names are made short and few: an ESP32's own modules are C, and cost no names.
"""

import hashlib
import tempfile
from pathlib import Path

from muster_harness.cache import cache_folder
from muster_harness.compiler import compile_mpy
from muster_harness.deploy import short_names

SHIMS = Path(__file__).parent / "shims"
# In tracebacks, whose frames of this name are left out where it can be done (shims/native.py): an
# ESP32 has none of them, for these modules are C there.
_SHOWN = "<board>"


def compiled_shims(folder: Path = SHIMS) -> Path:
    """Return a folder with every shim as .mpy, compiled if this version has not been yet."""
    digest = hashlib.sha256()
    for source in (*sorted(folder.rglob("*.py")), Path(short_names.__file__)):
        name = source.relative_to(folder) if source.is_relative_to(folder) else source.name
        digest.update(f"{_SHOWN}\0{name}\0".encode() + source.read_bytes() + b"\0")
    made = cache_folder("shims") / f"{digest.hexdigest()[:16]}"
    if not made.is_dir():
        _compile(folder, short_names.shortened(folder), made)
    return made


def _compile(root: Path, texts: dict[Path, bytes], folder: Path) -> None:
    # Into a folder of its own and then renamed: boards may start at the same moment.
    with tempfile.TemporaryDirectory(dir=folder.parent) as made:
        build = Path(made) / "shims"
        build.mkdir()
        for source, text in texts.items():
            # line numbers in tracebacks are not worth their heap
            made_as = build / source.relative_to(root).with_suffix(".mpy")
            compile_mpy(source, made_as, _SHOWN, optimise=3, text=text)
        try:
            build.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
