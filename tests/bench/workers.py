# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Measure what more processes on PostgreSQL gain: the same fleet against one, two and four.

    .venv/bin/python -m tests.bench.workers --rounds 3

Each number of processes has its turn in each round, so that what else the machine does meets all
of them alike. Commits reach the disk. docs/performance.md has the figures.
"""

import argparse
import os
import statistics
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench.fleet import CLIENTS, TOKEN, Servers, add_profile, started
from tests.postgres import Postgres, running

_COUNTS = (1, 2, 4)
_DEVICES, _WARMING = 200, 32
_SYNC_CLIENTS = 32


@dataclass
class Measured:
    """Figures of one number of processes, one of each round."""

    onboardings_per_s: list[float] = field(default_factory=list)
    syncs_per_s: list[float] = field(default_factory=list)
    server_ms: list[float] = field(default_factory=list)  # of CPU, for an onboarding
    database_ms: list[float] = field(default_factory=list)


def measure(rounds: int, devices: int) -> dict[int, Measured]:
    """Measure each number of processes so often, on databases of their own."""
    found = {count: Measured() for count in _COUNTS}
    with running(fsync="on") as postgres:
        for _ in range(rounds):
            for count, measured in found.items():
                with tempfile.TemporaryDirectory() as name:
                    _measure(measured, postgres, Path(name), count, devices)
    return found


def _measure(
    measured: Measured, postgres: Postgres, folder: Path, count: int, devices: int
) -> None:
    token_file = folder / "token"
    token_file.touch(0o600)
    token_file.write_text(TOKEN)
    options = ("--store", postgres.database(), "--workers", str(count))
    with started(folder, token_file, options=options) as servers:
        add_profile(servers)
        onboard = ("onboard", "--profile", "fleet", "--clients", str(CLIENTS))
        servers.fleet(*onboard, "--devices", str(_WARMING), "--first", str(devices))
        before = _cpu_s(servers.process.pid), _cpu_s(postgres.pid)
        ledger = ("--ledger", str(folder / "ledger"))
        onboarded = servers.fleet(*onboard, "--devices", str(devices), *ledger)
        spent = _cpu_s(servers.process.pid) - before[0], _cpu_s(postgres.pid) - before[1]
        synced = _synced(servers, ledger)
    measured.onboardings_per_s.append(onboarded["per_s"])
    measured.syncs_per_s.append(synced["per_s"])
    measured.server_ms.append(1000 * spent[0] / devices)
    measured.database_ms.append(1000 * spent[1] / devices)


def _synced(servers: Servers, ledger: tuple[str, ...]) -> dict[str, Any]:
    return servers.fleet("sync", *ledger, "--clients", str(_SYNC_CLIENTS))


def _cpu_s(pid: int) -> float:
    """Return the CPU time of a process and of all that it started and that run yet."""
    ticks = 0
    for each in _family(pid):
        fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])  # utime and stime, proc(5)
    return ticks / os.sysconf("SC_CLK_TCK")


def _family(pid: int) -> Iterator[int]:
    yield pid
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        yield from _family(int(child))


def main() -> None:
    """Measure, and print a row for each number of processes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--devices", type=int, default=_DEVICES)
    options = parser.parse_args()
    print(
        "processes, onboardings/s, syncs/s, CPU ms of servers and of PostgreSQL for an onboarding"
    )
    for count, measured in measure(options.rounds, options.devices).items():
        figures = (
            *(measured.onboardings_per_s, measured.syncs_per_s),
            *(measured.server_ms, measured.database_ms),
        )
        print(count, *(f"{statistics.median(each):.1f}" for each in figures), flush=True)


if __name__ == "__main__":
    main()
