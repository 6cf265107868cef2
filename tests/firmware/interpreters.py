# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The MicroPython interpreters that firmware is tested on: 64-bit unix and 32-bit wasm."""

import functools
import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from muster_harness.esp32.interpreter import find_interpreter

PROJECT = Path(__file__).resolve().parents[2]
ON_BOARD = PROJECT / "tests/firmware/on_board"
_WASM = PROJECT / "tests/firmware/wasm"
_INSTALL_TIMEOUT_S = 60


class Missing(Exception):
    """The 32-bit interpreter cannot be had here; the text says how to enable it."""


def unix() -> list[str]:
    """The command of the 64-bit unix port."""
    return list(find_interpreter().command)


def wasm(*statements: str) -> list[str]:
    """The command that runs Python statements on the 32-bit port; installs it once.

    Raises Missing where Node or the package cannot be had.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        raise Missing("no Node; install Node 18 or newer to run the 32-bit interpreter")
    modules = _installed_once(npm)
    if isinstance(modules, Missing):
        raise modules
    return [node, str(_WASM / "run.mjs"), str(modules), str(PROJECT), *statements]


@functools.cache
def _installed_once(npm: str) -> Path | Missing:
    try:
        return _installed(npm)
    except Missing as reason:
        return reason


def _installed(npm: str) -> Path:
    lock = (_WASM / "package-lock.json").read_bytes()
    home = PROJECT / "build/npm" / hashlib.sha256(lock).hexdigest()[:12]
    if not home.exists():
        home.parent.mkdir(parents=True, exist_ok=True)
        # Made aside and renamed: two test runs at once do not see each other's half.
        with tempfile.TemporaryDirectory(dir=home.parent) as name:
            draft = Path(name) / "draft"
            draft.mkdir()
            for file in ("package.json", "package-lock.json"):
                shutil.copy(_WASM / file, draft)
            _install(npm, draft)
            if not home.exists():
                draft.rename(home)
    return home / "node_modules"


def _install(npm: str, folder: Path) -> None:
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    try:
        subprocess.run(
            command,
            cwd=folder,
            check=True,
            capture_output=True,
            text=True,
            timeout=_INSTALL_TIMEOUT_S,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise Missing(
            f"npm could not install the 32-bit interpreter, it needs its registry once: {error}"
        ) from error
