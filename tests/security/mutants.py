# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Changes one security-relevant line at a time in a copy of the project: does a test notice?

    python -m tests.security.mutants [--write] [words of a name]

prints what found each mutant; exit code 1 if one survives, or if a test fails without any.
`--write` puts what has found all of them into docs/mutants.md.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "mutants.md"
_LIST = Path(__file__).with_name("mutants.toml")
_COPIED = ("host_server", "firmware", "harness", "boards", "tests", "docs")
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.egg-info", "build", ".pytest_cache")
_TIMEOUT_S = 300


@dataclass(frozen=True)
class Mutant:
    """One change to one line, and the tests that have to find it."""

    name: str
    file: str
    right: str
    wrong: str
    tests: str

    @property
    def arguments(self) -> list[str]:
        """Return what pytest is to run."""
        words = self.tests.split()
        files = [f"tests/{word}" for word in words if word.endswith(".py")]
        chosen = [word for word in words if not word.endswith(".py")]
        return files + (["-k", " ".join(chosen)] if chosen else [])


def mutants() -> list[Mutant]:
    """Return the list."""
    return [Mutant(**entry) for entry in tomllib.loads(_LIST.read_text())["mutant"]]


@contextmanager
def copied() -> Iterator[Path]:
    """A copy of the project, for as long as the block lasts."""
    with tempfile.TemporaryDirectory(prefix="mutants-") as directory:
        copy = Path(directory) / "project"
        for folder in _COPIED:
            shutil.copytree(ROOT / folder, copy / folder, ignore=_LEFT_OUT)
        for file in ROOT.iterdir():
            if file.is_file():
                shutil.copy2(file, copy)
        if (ROOT / ".venv").exists():  # with the interpreters that set-up has brought
            (copy / ".venv").symlink_to(ROOT / ".venv")
        yield copy


@contextmanager
def planted(copy: Path, mutant: Mutant) -> Iterator[None]:
    """The copy with the mutant in it. ValueError if its place is not there exactly once."""
    path = copy / mutant.file
    text = path.read_text()
    if text.count(mutant.right) != 1:
        raise ValueError(f"{mutant.name}: {mutant.file} has changed: plant it anew")
    path.write_text(text.replace(mutant.right, mutant.wrong))
    try:
        yield
    finally:
        path.write_text(text)


def killer(copy: Path, arguments: list[str]) -> str | None:
    """The first test that fails in the copy; None if none does. RuntimeError if none was run."""
    paths = [str(copy), str(copy / "host_server"), str(copy / "harness")]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *arguments],
        cwd=copy,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    if done.returncode == 0:
        return None
    found = re.search(r"^(?:FAILED|ERROR) \S+::(.+?)(?: - .*)?$", done.stdout, re.MULTILINE)
    if done.returncode != 1 or found is None:
        raise RuntimeError(f"{arguments}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return found[1]


_HEAD = """\
# Mutants

`python -m tests.security.mutants` changes one line at a time that security rests on, in a copy of
the project, and runs the narrowest tests there. All {count} were found; the list is in
`tests/security/mutants.toml`, and `--write` writes this page anew.

| change | found by |
|---|---|
"""


def page(found: dict[str, str]) -> str:
    """Return the page that says which test has found each mutant."""
    lines = [
        f"| {name} | `{re.findall('test_[a-z0-9_]+', killer)[-1]}` |"
        for name, killer in found.items()
    ]
    return _HEAD.format(count=len(found)) + "\n".join(lines) + "\n"


def main(words: list[str]) -> int:
    """Plant each mutant whose name has these words; 1 if one survives."""
    writes, words = "--write" in words, [word for word in words if word != "--write"]
    chosen = [m for m in mutants() if all(word in m.name for word in words)]
    killers: dict[str, str] = {}
    bad = 0
    with copied() as copy:
        for arguments in sorted({tuple(mutant.arguments) for mutant in chosen}):
            failed = killer(copy, list(arguments))
            if failed is not None:
                print(f"FAILS WITHOUT A MUTANT: {failed}", flush=True)
                bad += 1
        for mutant in chosen:
            with planted(copy, mutant):
                found = killer(copy, mutant.arguments)
            bad += found is None
            killers[mutant.name] = found or ""
            print(f"{mutant.name}: {found or 'SURVIVES'}", flush=True)
    print(f"{len(chosen)} mutants, {bad} complaints")
    if writes and not words and not bad:
        PAGE.write_text(page(killers))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
