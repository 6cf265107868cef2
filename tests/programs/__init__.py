# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Programs that tests need and nobody has to install: each is fetched once, below build/.

`make test` fetches them all before it begins; a test that is run alone fetches what it needs.
"""

import fcntl
import hashlib
import tempfile
from collections.abc import Callable
from pathlib import Path

from set_up import Failed

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "programs"


_failed: dict[str, Failed] = {}


class Missing(Failed):
    """A program cannot be had here; the text says how to get it."""


def once(name: str, content: bytes, make: Callable[[Path, Path], None]) -> Path:
    """The folder of what `content` (a lock file) describes; made if it is not there.

    `make` gets a folder to fill and the path that it will have. Made aside and renamed: what was
    cut short leaves nothing that looks whole. Who comes second waits for the first.
    """
    if name in _failed:  # a test after the first does not wait for the same end again
        raise _failed[name]
    home = BUILD / f"{name}-{hashlib.sha256(content).hexdigest()[:12]}"
    if home.exists():
        return home
    BUILD.mkdir(parents=True, exist_ok=True)
    with (BUILD / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not home.exists():
            with tempfile.TemporaryDirectory(dir=BUILD, prefix="draft-") as draft:
                made = Path(draft) / name
                made.mkdir()
                try:
                    make(made, home)
                except Failed as error:
                    _failed[name] = error
                    raise
                made.rename(home)
    return home
