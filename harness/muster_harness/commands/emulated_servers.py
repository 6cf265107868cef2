# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Servers beside an emulated board: `muster init` and `muster serve`, as a person would run them.

They are another program, which this package does not import.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from muster_harness.errors import HarnessError

_ROLES = 3
_INIT_S = 60.0
_READY_S = 60.0
_STOP_S = 10.0
_LOOK_S = 0.05

Say = Callable[[str], None]


def muster() -> str:
    """Return the path of the command `muster` of this environment.

    Raises HarnessError if the servers are not installed.
    """
    beside = Path(sys.executable).parent / "muster"
    found = str(beside) if beside.exists() else shutil.which("muster")
    if found is None:
        raise HarnessError(
            "--servers: there is no command muster here; install it: pip install ./host_server"
        )
    return found


def set_up(folder: Path, address: str, ssid: str, password_file: Path, profile: str) -> None:
    """Have `muster init` fill the folder, unless it has done so.

    Raises HarnessError with its words if it cannot, and if the folder is for another address.
    """
    settings = folder / "settings.toml"
    if settings.exists():
        if f"//{address}:" not in settings.read_text():
            raise HarnessError(
                f"the servers in {folder} were set up for another address than {address}: end the "
                f"other emulated board, name another --directory, or remove {folder}"
            )
        return
    done = subprocess.run(
        [muster(), "init", "--data", str(folder), "--address", address, "--ssid", ssid]
        + ["--password-file", str(password_file), "--platform", "own", "--country", "DE"]
        + ["--profile", profile],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_INIT_S,
        check=False,
    )
    if done.returncode != 0:
        raise HarnessError(f"the servers cannot be set up: {done.stderr.strip()}")


@contextlib.contextmanager
def running(folder: Path, log: Path, *options: str) -> Iterator[None]:
    """Run `muster serve` on a folder that was set up, for as long as the block lasts.

    Raises HarnessError with its last words if it is not ready in time.
    """
    with log.open("wb") as file:
        process = subprocess.Popen(
            [muster(), "serve", "--data", str(folder), *options],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,  # Ctrl-C is for the board's command, which then ends this one
        )
    try:
        _wait_ready(process, log)
        yield
    finally:
        _end(process)


def _wait_ready(process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _READY_S
    while log.read_text(errors="replace").count(" ready http") < _ROLES:
        if process.poll() is not None:
            last = log.read_text(errors="replace").strip().splitlines()[-1:]
            raise HarnessError(f"the servers have ended: {''.join(last)}")
        if time.monotonic() > deadline:
            raise HarnessError(f"the servers are not ready within {_READY_S:.0f} s; see {log}")
        time.sleep(_LOOK_S)


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(_STOP_S)
