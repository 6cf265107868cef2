# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Restarts PostgreSQL under load and kills processes of the servers, again and again.

    .venv/bin/python -m tests.torture.restarts --restarts 50

Devices onboard meanwhile and come again when they are refused. All of them have to arrive, nobody
may be refused by anything but 503 and 429, and the ledger of all that was acknowledged is compared
with what the servers say.
"""

import argparse
import itertools
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.fleet import TOKEN, Servers, add_profile, started
from tests.postgres import Postgres, running
from tests.torture.kills import lost

_CLIENTS = 6
_DEVICES = 40  # some seconds of onboarding
_SHORTEST_S, _LONGEST_S = 0.1, 1.5
_PATIENCE_S = 60
_DEADLINE_S = 120
# In turns: its files are not even closed; everybody is thrown out; a process of ours is killed.
_DEEDS = (signal.SIGQUIT, signal.SIGINT, signal.SIGKILL)
_COME_AGAIN = re.compile(r"HTTP (503|429) ")
_CUT_OFF = re.compile(r"RemoteDisconnected|BrokenPipe|ConnectionReset|IncompleteRead")


def restart_often(
    folder: Path, postgres: Postgres, restarts: int, seed: int, devices: int = _DEVICES
) -> tuple[int, list[str]]:
    """Return how many acknowledgements were compared, and what was lost, doubled or refused."""
    moments, token_file = random.Random(seed), folder / "token"
    token_file.touch(0o600)
    token_file.write_text(TOKEN)
    compared, findings = 0, []
    options = ("--store", postgres.database(), "--workers", "2")
    with started(folder, token_file, options=options) as servers:
        add_profile(servers)
        for n, deed in zip(range(restarts), itertools.cycle(_DEEDS), strict=False):
            ledger = folder / f"ledger-{n}"
            after_s = moments.uniform(_SHORTEST_S, _LONGEST_S)
            found = _disturbed(servers, postgres, ledger, (n * devices, devices), deed, after_s)
            compared += len(ledger.read_text().splitlines())
            findings += [f"restart {n}: {line}" for line in (*found, *lost(servers, ledger))]
            ledger.unlink()
            print(f"{n + 1} restarts, {compared} acknowledgements, {len(findings)} findings")
    return compared, findings


def _disturbed(
    servers: Servers,
    postgres: Postgres,
    ledger: Path,
    numbers: tuple[int, int],
    deed: signal.Signals,
    after_s: float,
) -> list[str]:
    """Onboard devices and do the deed meanwhile; what should not have happened to them."""
    ledger.touch(0o600)
    first, devices = numbers
    load = subprocess.Popen(
        servers.command(
            *("onboard", "--profile", "fleet", "--clients", str(_CLIENTS), "--json"),
            *("--devices", str(devices), "--first", str(first), "--ledger", str(ledger)),
            *("--deadline", str(_DEADLINE_S)),
        ),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        deadline = time.monotonic() + _PATIENCE_S
        while not ledger.stat().st_size and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(after_s)
        if deed == signal.SIGKILL:
            os.kill(_worker(servers, first // devices), deed)
        else:
            postgres.restart(deed)
        said, _ = load.communicate(timeout=_DEADLINE_S + _PATIENCE_S)
    finally:
        load.kill()
        load.wait()
    return _wrong(json.loads(said.splitlines()[0]), was_cut_off=deed == signal.SIGKILL)


def _wrong(figures: dict[str, object], *, was_cut_off: bool) -> list[str]:
    """Return what should not have happened to a fleet with these figures."""
    found = []
    if figures["given_up"]:
        found.append(f"{figures['given_up']} of {figures['devices']} devices did not arrive")
    refusals = figures["refusals"]
    assert isinstance(refusals, dict)
    for what, count in refusals.items():
        is_due = _COME_AGAIN.search(f"{what} ") or (was_cut_off and _CUT_OFF.search(what))
        if not is_due:
            found.append(f"{count} x {what}")
    return found


def _worker(servers: Servers, n: int) -> int:
    pid = servers.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(children[n % len(children)])


def main() -> int:
    """Restart as often as asked, and tell what was found; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--restarts", type=int, default=6)
    parser.add_argument("--seed", type=int, default=20261130)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, running() as postgres:
        compared, findings = restart_often(Path(name), postgres, options.restarts, options.seed)
    for line in findings:
        print(line)
    print(f"{options.restarts} restarts, {compared} acknowledgements, {len(findings)} findings")
    return 1 if findings or not compared else 0


if __name__ == "__main__":
    sys.exit(main())
