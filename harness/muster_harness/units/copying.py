# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Finds what of a folder goes to a board, and where."""

from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from muster_harness.errors import HarnessError

_NEVER = (".*", "__pycache__", "*.pyc", "*.dist-info", "*.egg-info")

# On the board: a folder that may be there.
MAKE_FOLDERS = """
import os
for folder in {!r}:
    try:
        os.mkdir(folder)
    except OSError as e:
        if e.errno != 17:
            raise
"""


def places(source: Path, target: str) -> Iterator[tuple[Path, str]]:
    """Each file to copy, and its path on the board, e.g. "/lib/microdot/sse.py".

    Raises HarnessError if there is no such file or folder.
    """
    if source.is_file():
        yield source, target
        return
    if not source.is_dir():
        raise HarnessError(f"nothing to copy to {target}: there is no {source.absolute()}")
    for path in sorted(source.rglob("*")):
        within = path.relative_to(source)
        is_meant = not any(fnmatch(part, never) for part in within.parts for never in _NEVER)
        if is_meant and path.is_file():
            yield path, str(PurePosixPath(target) / within.as_posix())


def folders(targets: list[str]) -> list[str]:
    """All folders that these paths need, each after the one it is in."""
    needed = {str(folder) for target in targets for folder in PurePosixPath(target).parents}
    return sorted(needed - {"/", "."})
