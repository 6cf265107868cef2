#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Sets up an environment with the pinned packages: `python3 set_up.py .venv [--tests]`.

Runs before anything is installed, so it knows the standard library only. uv does the work, some
20 times as fast as pip; where uv cannot be had or fails, pip does the same from the same locks.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent
STUBS = "micropython-stubs"
_LIMIT_S = 1800
_LOOK_S = 0.1
_STILL_S = 10  # between two signs of life where no line can be written over
_TAIL = 12  # lines of an installer's last words
# What pip is told about indexes, in uv's words: whoever set up pip has not set up uv as well.
_IN_UV = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "cert": "SSL_CERT_FILE",
    "proxy": "ALL_PROXY",
    "trusted-host": "UV_INSECURE_HOST",
}
_ASKED = re.compile(r"^(?:global|install|:env:)\.([a-z-]+)='(.*)'$")
_PINNED = re.compile(r"^[A-Za-z0-9._-]+(?:\[[^]]*\])?==", re.MULTILINE)


class Failed(Exception):
    """Something could not be set up; the text says what, and what to try."""


def run(
    what: str,
    command: Sequence[str | Path],
    environment: Mapping[str, str] | None = None,
    good: tuple[int, ...] = (0,),
) -> None:
    """Runs a command; one line shows what it does and for how long. Failed with its last words."""
    begin = shown = time.monotonic()
    is_terminal = sys.stdout.isatty()
    print(f"  {what} …", end="", flush=True)
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=environment
        )
        try:
            while process.poll() is None:
                now = time.monotonic()
                if now - begin > _LIMIT_S:
                    raise Failed(f"{what}: not done within {_LIMIT_S} s")
                if now - shown > (1 if is_terminal else _STILL_S):
                    shown = now
                    _tell(what, now - begin, _words(said.fileno())[-1:], is_terminal)
                time.sleep(_LOOK_S)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
        words = _words(said.fileno())
    end = "\033[K" if is_terminal else ""
    took = f"{time.monotonic() - begin:.1f} s"
    if process.returncode not in good:
        print(f"\r  {what}: failed after {took}{end}" if is_terminal else f" failed after {took}")
        raise Failed("\n".join([f"{what}: {command[0]} said", *words[-_TAIL:]]))
    print(f"\r  {what}: {took}{end}" if is_terminal else f" {took}", flush=True)


def _words(file: int) -> list[str]:
    """The lines that a command has written so far."""
    text = os.pread(file, os.fstat(file).st_size, 0).decode("utf-8", "replace")
    return [line.strip() for line in text.splitlines() if line.strip()]


def _tell(what: str, after_s: float, last: list[str], is_terminal: bool) -> None:
    if not is_terminal:
        print(f" {after_s:.0f} s …", end="", flush=True)
        return
    line = f"  {what} … {after_s:.0f} s  {last[0] if last else ''}"
    print(f"\r{line[: shutil.get_terminal_size().columns - 1]}\033[K", end="", flush=True)


class Environment:
    """A virtual environment, and what installs into it."""

    def __init__(self, folder: Path, variables: Mapping[str, str] = os.environ) -> None:
        self.folder = folder
        self.variables = variables  # for the installers: proxies, indexes
        self.python = folder / "bin" / "python"

    def create(self, what: str = "environment") -> None:
        """Makes it anew; Failed where Python lacks a part."""
        try:
            import ensurepip  # noqa: F401 - Debian packs it apart from Python
            import venv  # noqa: F401
        except ImportError:
            raise Failed(
                "this Python has no venv; install it (Debian: apt-get install python3-venv)"
                " or name another: make PYTHON=…"
            ) from None
        run(what, [sys.executable, "-m", "venv", "--clear", self.folder])

    def install(self, what: str, *arguments: str | Path) -> None:
        """Installs packages with uv, else with pip; Failed if neither can."""
        if uv := self._uv():
            options = ("--python", self.python, "--compile-bytecode")
            try:
                run(what, [uv, "pip", "install", *options, *arguments], self._indexes())
                return
            except Failed as error:
                print(f"{error}\nuv could not; pip tries, which takes minutes.")
        run(what, [self.python, "-I", "-m", "pip", "install", *arguments], self._for_pip())

    def _uv(self) -> Path | None:
        """The uv of the environment being made, or of the one that this program runs in."""
        own = [Path(sys.prefix)] if sys.prefix != sys.base_prefix else []
        for folder in (self.folder, *own):
            if (folder / "bin" / "uv").exists():
                return folder / "bin" / "uv"
        lock = ROOT / "requirements-uv.lock"
        pip = (self.python, "-I", "-m", "pip", "install", "--require-hashes", "-r", lock)
        try:
            run("installer", pip, self._for_pip())
        except Failed as error:
            print(f"{error}\nwithout uv; pip does it alone, which takes minutes.")
            return None
        return self.folder / "bin" / "uv"

    def _indexes(self) -> dict[str, str]:
        """The process's environment, and in it the indexes that pip is told to use."""
        asked = subprocess.run(
            [self.python, "-I", "-m", "pip", "config", "list"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env=dict(self.variables),
        )
        environment = dict(self.variables)
        for line in asked.stdout.splitlines():
            known = _ASKED.match(line)
            if known and known[1] in _IN_UV:
                # pip passes over a folder that is not there; uv would end.
                places = filter(_exists, known[2].replace("\\n", " ").split())
                text = ("," if known[1] == "find-links" else " ").join(places)
                if text:
                    environment.setdefault(_IN_UV[known[1]], text)
        # As pip does: whichever index has it. The hashes in the lock say what is right.
        environment.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
        return environment

    def _for_pip(self) -> dict[str, str]:
        # A person's own habit for other environments would be refused in this one.
        forced = {"PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}
        return {k: v for k, v in self.variables.items() if k != "PIP_TARGET"} | forced


def _exists(place: str) -> bool:
    """False for the path or file URL of nothing; what is on another machine counts as there."""
    path = place.removeprefix("file://")
    return not path.startswith("/") or Path(path).exists()


def base(environment: Environment) -> None:
    """What the programs and the demo need."""
    environment.create()
    environment.install(_counted("requirements.lock"), *_locked("requirements.lock"))
    editable = ("-e", ROOT / "host_server", "-e", ROOT / "harness")
    environment.install("Muster itself", "--no-deps", "--no-build-isolation", *editable)


def tests(environment: Environment) -> None:
    """What tests and checks need besides."""
    environment.install(_counted("requirements-dev.lock"), *_locked("requirements-dev.lock"))
    # The stubs shadow real packages (requests, ssl), so they live apart from site-packages.
    apart = ("--no-deps", "--target", environment.folder / STUBS)
    environment.install("stubs of MicroPython", *apart, *_locked("requirements-stubs.lock"))


def _locked(name: str) -> tuple[str | Path, ...]:
    return ("--require-hashes", "-r", ROOT / name)


def _counted(name: str) -> str:
    return f"{len(_PINNED.findall((ROOT / name).read_text()))} packages"


_SETS: dict[str, tuple[Callable[[Environment], None], str]] = {
    "base": (base, "34 MB to download, some 20 s"),
    "tests": (tests, "what tests need, 275 MB to download, some 30 s"),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="set_up.py", description=__doc__)
    parser.add_argument("folder", type=Path, help="the environment, e.g. .venv")
    parser.add_argument("--tests", action="store_true", help="add what the tests need")
    arguments = parser.parse_args()
    fill, size = _SETS["tests" if arguments.tests else "base"]
    begin = time.monotonic()
    print(f"Setting up {arguments.folder}, once ({size} on a fast line)", flush=True)
    try:
        fill(Environment(arguments.folder.resolve()))
    except Failed as error:
        print(error, file=sys.stderr)
        return 1
    print(f"Set up in {time.monotonic() - begin:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
