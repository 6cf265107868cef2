# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Kills the servers under load, again and again: is anything lost that was acknowledged?

    .venv/bin/python -m tests.torture.kills --kills 200
    .venv/bin/python -m tests.torture.kills --kills 200 --postgres

The second way, two processes on PostgreSQL are killed at once, with the one that sees to them.
Devices onboard until SIGKILL comes, at a moment drawn by the seed; then the servers start anew on
the same data, and the ledger is compared with what they say.
"""

import argparse
import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.fleet import TOKEN, Servers, add_profile, started
from tests.postgres import running as running_postgres

_CLIENTS = 8
_DEVICES = 2000  # more than can be onboarded before the kill
_SHORTEST_S, _LONGEST_S = 0.3, 1.6
_CHECK_S = 120


def kill_often(
    folder: Path, kills: int, seed: int, options: tuple[str, ...] = ()
) -> tuple[int, list[str]]:
    """Return how many acknowledgements were compared, and what was lost or doubled; `options` are
    those of `muster serve`.
    """
    moments, ports = random.Random(seed), free_ports()
    token_file = folder / "token"
    token_file.touch(0o600)
    token_file.write_text(TOKEN)
    compared, losses, before = 0, [], None
    for n in range(kills + 1):
        with started(folder, token_file, ports, options) as running:
            if before is None:
                add_profile(running)
            else:
                compared += len(before.read_text().splitlines())
                losses += [f"kill {n}: {line}" for line in lost(running, before)]
                before.unlink()
                print(f"{n} kills, {compared} acknowledgements, {len(losses)} lost", flush=True)
            if n < kills:
                before = folder / f"ledger-{n}"
                _kill_under_load(running, before, n, moments.uniform(_SHORTEST_S, _LONGEST_S))
    return compared, losses


def _kill_under_load(running: Servers, ledger: Path, n: int, after_s: float) -> None:
    ledger.touch(0o600)
    load = subprocess.Popen(
        running.command(
            *("onboard", "--profile", "fleet", "--clients", str(_CLIENTS)),
            *("--devices", str(_DEVICES), "--first", str(n * _DEVICES), "--ledger", str(ledger)),
        ),
        stdout=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + _CHECK_S
        while not ledger.stat().st_size and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(after_s)
        _kill(running.process)
        time.sleep(0.1)  # answers that were sent before are noted now
    finally:
        load.kill()
        load.wait()


def _kill(process: subprocess.Popen[str]) -> None:
    """Kill the process and those that it has started, before one can see that another ends."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    for pid in (process.pid, *map(int, children)):
        os.kill(pid, signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + _CHECK_S
    while any(Path(f"/proc/{pid}").exists() for pid in children):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def lost(running: Servers, ledger: Path) -> list[str]:
    """Return a line for each thing that they acknowledged, and do not know now."""
    done = subprocess.run(
        running.command("check", "--ledger", str(ledger), "--clients", str(_CLIENTS)),
        stdout=subprocess.PIPE,
        text=True,
        timeout=_CHECK_S,
        check=False,
    )
    lines = done.stdout.splitlines()
    lost = [line for line in lines if line.startswith("LOST")]
    return lost if done.returncode == 0 or lost else [f"the check failed: {lines[:1]}"]


def free_ports() -> tuple[int, ...]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    ports = tuple(each.getsockname()[1] for each in sockets)
    for each in sockets:
        each.close()
    return ports


def main() -> int:
    """Kill as often as asked, and tell what was lost; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=20261130)
    parser.add_argument("--postgres", action="store_true", help="two processes, on PostgreSQL")
    options = parser.parse_args()
    with contextlib.ExitStack() as closers:
        folder = Path(closers.enter_context(tempfile.TemporaryDirectory()))
        store: tuple[str, ...] = ()
        if options.postgres:
            postgres = closers.enter_context(running_postgres())
            store = ("--store", postgres.database(), "--workers", "2")
        compared, losses = kill_often(folder, options.kills, options.seed, store)
    for line in losses:
        print(line)
    print(f"{options.kills} kills, {compared} acknowledgements, {len(losses)} lost or doubled")
    return 1 if losses or not compared else 0


if __name__ == "__main__":
    sys.exit(main())
