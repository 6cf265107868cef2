# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Compiles the shims to .mpy once, into a cache folder named by their digest."""

import hashlib
import os
import tempfile
from pathlib import Path

from harness.compiler import compile_mpy
from harness.errors import InterpreterError

_SHIMS = Path(__file__).parent / "shims"


def compiled_shims() -> Path:
    """Return a folder with every shim as .mpy, compiled if this version has not been yet."""
    sources = sorted(_SHIMS.glob("*.py"))
    digest = hashlib.sha256()
    for source in sources:
        digest.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    folder = _cache() / f"shims-{digest.hexdigest()[:16]}"
    if not folder.is_dir():
        _compile(sources, folder)
    return folder


def _cache() -> Path:
    root = os.environ.get("XDG_CACHE_HOME")
    folder = (Path(root) if root else Path.home() / ".cache") / "muster"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        folder = Path(tempfile.gettempdir()) / f"muster-{os.getuid()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.stat().st_uid != os.getuid():
            raise InterpreterError(
                f"{folder} belongs to somebody else; set XDG_CACHE_HOME to a folder of yours"
            ) from None
    return folder


def _compile(sources: list[Path], folder: Path) -> None:
    # Into a folder of its own and then renamed: boards may start at the same moment.
    with tempfile.TemporaryDirectory(dir=folder.parent) as made:
        build = Path(made) / "shims"
        build.mkdir()
        for source in sources:
            # line numbers in tracebacks are not worth their heap; <name> tells the file
            compile_mpy(source, build / f"{source.stem}.mpy", f"<{source.stem}>", optimise=3)
        try:
            build.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
