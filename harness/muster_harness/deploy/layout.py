# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The layout of a firmware on a board: which files go there, to which paths, and in which form."""

import shutil
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from muster_harness.compiler import compile_mpy
from muster_harness.deploy.short_names import shortened
from muster_harness.errors import DeployError

# Files that are about a firmware and not of it: nowhere, and at the top of its folder.
NEVER = (".*", "__pycache__", "*.pyc", "*.dist-info", "*.egg-info")
NOT_AT_THE_TOP = (
    "LICENSE*",
    "README*",
    "manifest.py",
    "mypy.ini",
    "package.json",
    "pyproject.toml",
)

_AT_ROOT = ("boot.py", "main.py")  # MicroPython runs them by these names
_FACTS = "muster.json"


def is_muster(source: Path) -> bool:
    """Tell whether this is Muster's firmware, or one built on it."""
    return (source / "muster" / "__init__.py").is_file()


def board_files(source: Path) -> Iterator[tuple[PurePosixPath, Path]]:
    """Return the files that are for a board, in order, with their paths below the folder."""
    for file in sorted(path for path in source.rglob("*") if path.is_file()):
        path = file.relative_to(source)
        left_out = any(fnmatch(part, name) for part in path.parts for name in NEVER)
        if len(path.parts) == 1:
            left_out |= any(fnmatch(path.name, name) for name in NOT_AT_THE_TOP)
        if not left_out:
            yield PurePosixPath(path), file


def copies(source: Path, target: str) -> dict[str, Path]:
    """Tell where a file goes, or all of a folder: {"/lib/microdot/sse.py": its file}.

    Raises DeployError if there is no such file or folder.
    """
    if source.is_file():
        return {target: source}
    if not source.is_dir():
        raise DeployError(f"nothing to copy to {target}: there is no {source.absolute()}")
    return {str(PurePosixPath(target) / path): file for path, file in board_files(source)}


def lay_out(source: Path, tree: Path, form: str) -> None:
    """Make in `tree` the files that the board's filesystem shall hold.

    Every file keeps its place; .py is compiled unless `form` is "py", but for boot.py and main.py.
    Muster's own firmware has its packages in /lib, where `mip install` puts them. Raises
    DeployError if the folder is no firmware, HarnessError for a file that does not compile.
    """
    if form not in ("mpy", "py"):
        raise DeployError(f"firmware goes onto a board as 'mpy' or 'py', not as {form!r}")
    if not (source / "main.py").is_file():
        raise DeployError(f"{source} has no main.py; firmware has one, however short")
    if (source / _FACTS).exists():
        raise DeployError(
            f"{source / _FACTS} would hide the one that a deployment makes of the board file and "
            "--model, --onboarding-ssid; give the file another name"
        )
    texts = _shortened(source) if form == "mpy" else {}
    for path, file in board_files(source):
        target = tree / _place(source, path)
        is_compiled = form == "mpy" and path.suffix == ".py" and str(path) not in _AT_ROOT
        if is_compiled:
            target = target.with_suffix(".mpy")
        if target.exists():
            name = target.relative_to(tree)
            raise DeployError(f"{file} and another file both become /{name}; remove one of them")
        target.parent.mkdir(parents=True, exist_ok=True)
        if is_compiled:
            compile_mpy(file, target, path.stem, optimise=2, text=texts.get(file))
        else:
            shutil.copy(file, target)


def _shortened(source: Path) -> dict[Path, bytes]:
    """Give Muster's own packages short private names; other packages keep theirs."""
    packages = [init.parent for init in source.glob("*/__init__.py")] if is_muster(source) else []
    closed = source / "muster"  # what it offers its owner it offers by names that it also quotes
    return {
        file: text
        for package in packages
        for file, text in shortened(package, package == closed).items()
    }


def _place(source: Path, path: PurePosixPath) -> PurePosixPath:
    is_package = (source / path.parts[0] / "__init__.py").is_file()
    return "lib" / path if is_muster(source) and is_package else path
