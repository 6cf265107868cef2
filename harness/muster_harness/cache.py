# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The user's cache folder holds files that are slow to make and can be made again at any time."""

import os
import tempfile
from pathlib import Path

from muster_harness.errors import HarnessError


def cache_folder(name: str) -> Path:
    """Return a folder that only this user can write; make it if needed ($XDG_CACHE_HOME/muster/…).

    Raises HarnessError if there is no such place.
    """
    root = os.environ.get("XDG_CACHE_HOME")
    folder = (Path(root) if root else Path.home() / ".cache") / "muster"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        folder = Path(tempfile.gettempdir()) / f"muster-{os.getuid()}"
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.stat().st_uid != os.getuid():
            raise HarnessError(
                f"{folder} belongs to somebody else; set XDG_CACHE_HOME to a folder of yours"
            ) from None
    wanted = folder / name
    wanted.mkdir(exist_ok=True)
    return wanted
