# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Measure a herd: a fleet that comes back after an outage, all of it within minutes.

A few devices onboard for real; the others are copies of them. Then the servers start anew, as
after a power cut in a city, and every device checks in at a moment of its own, as firmware spreads
them after an hour without a server (firmware/muster/backoff.py). Who is refused comes again when
it was told to. docs/performance.md has the figures.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from muster_harness.deploy.labels import Label
from muster_harness.fleet.device import FleetDevice
from muster_harness.fleet.ledger import CLAIMED, CONFIRMED, FETCHED, Ledger, read_ledger
from muster_harness.fleet.run import BEYOND, LATE
from muster_server.store.config import ConfigStore
from muster_server.store.engine import database_url, open_engine
from muster_server.store.key_file import FileBox
from tests.bench.copies import copy_devices, device_id
from tests.bench.fleet import Servers, servers, started

DEVICES = 100_000
SPREAD_S = 300.0  # firmware's longest wait, which it has come to after half an hour or so
_MODELS = 20
_DEADLINE_S = 3600.0
_ANSWER_S = 15.0  # so long firmware waits for one


def measure(devices: int = DEVICES, spread_s: float = SPREAD_S) -> dict[str, float]:
    """Return how the herd was served. Raises RuntimeError if one device was not."""
    with come_back(devices) as (running, ledger):
        return _served(running, ledger, devices, spread_s)


@contextmanager
def come_back(devices: int, in_ledger: int | None = None) -> Iterator[tuple[Servers, Path]]:
    """Servers with so many devices, started anew, and a ledger of all of them, or of the first."""
    with servers() as running:
        folder, token_file = running.folder, running.token_file
        models = folder / "models.ledger"
        running.fleet(
            *("onboard", "--profile", "fleet", "--devices", str(_MODELS), "--ledger", str(models))
        )
        running.process.terminate()
        running.process.wait(30)
        ledger = folder / "herd.ledger"
        _copy(folder / "data", models, devices)
        _write(ledger, models, devices if in_ledger is None else in_ledger)
        with started(folder, token_file) as again:
            yield again, ledger


def _committed(models: Path) -> list[FleetDevice]:
    return [entry.device for entry in read_ledger(models) if entry.device.committed]


def _copy(data: Path, models: Path, devices: int) -> None:
    began, engine = time.monotonic(), open_engine(database_url(data, "config"))
    try:
        store = ConfigStore(engine, FileBox(data / "secret.key"))
        copy_devices(store, [device.label.device_id for device in _committed(models)], devices)
    finally:
        engine.dispose()
    print(f"{devices} devices copied in {time.monotonic() - began:.0f} s", file=sys.stderr)


def _write(ledger: Path, models: Path, devices: int) -> None:
    known = _committed(models)
    with Ledger(ledger) as written:
        for n in range(devices):
            model = known[n % len(known)]
            model.number, model.label = n, Label(device_id(n), model.label.secret)
            for what in (CLAIMED, FETCHED, CONFIRMED):
                written.note(model, what)


def _served(running: Servers, herd: Path, devices: int, spread_s: float) -> dict[str, float]:
    pid = running.process.pid
    before = _memory_mib(pid)
    found = running.fleet(
        *("sync", "--ledger", str(herd)),
        *("--spread", str(spread_s), "--deadline", str(_DEADLINE_S)),
        limit_s=_DEADLINE_S + 300,
    )
    refusals, times = found["refusals"], found["times"]
    _judge(found, devices)
    return {
        "herd.devices": devices,
        "herd.spread_s": spread_s,
        "herd.seconds": found["seconds"],
        "herd.per_s": found["per_s"],
        "herd.refused_429_503": sum(refusals.values()),
        "herd.p50_ms": times["check-in"]["p50_ms"],
        "herd.p99_ms": times["check-in"]["p99_ms"],
        "herd.longest_ms": times["check-in"]["longest_ms"],
        "herd.longest_sync_ms": times["sync"]["longest_ms"],
        "herd.longest_beyond_its_backoff_ms": times[BEYOND]["longest_ms"],
        "herd.generator_late_p99_ms": times[LATE]["p99_ms"],
        "herd.server_cpu_ms": found["server_cpu_ms_each"],
        "herd.generator_cpu_ms": found["generator_cpu_ms_each"],
        "herd.memory_at_start_mib": before,
        "herd.memory_at_end_mib": _memory_mib(pid),
        "herd.memory_peak_mib": _memory_mib(pid, "VmHWM"),
    }


def _judge(found: dict[str, Any], devices: int) -> None:
    """Raises RuntimeError if one is not served, or refused with anything but 429 and 503, or later
    than its back-off and the time that it waits for an answer say.
    """
    refusals: dict[str, int] = found["refusals"]
    other = [what for what in refusals if "HTTP 429" not in what and "HTTP 503" not in what]
    if found["done"] != devices or other:
        raise RuntimeError(f"{found['done']} of {devices} were served; refused: {refusals}")
    longest_s = found["times"][BEYOND]["longest_ms"] / 1000
    if longest_s > _ANSWER_S:
        raise RuntimeError(f"a device waited {longest_s:.1f} s beyond its back-off: {found}")


def _memory_mib(pid: int, what: str = "VmRSS") -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{what}:")) / 1024


def _main(words: list[str]) -> None:
    numbers: list[Any] = [int(words[0])] if words else []
    numbers += [float(words[1])] if len(words) > 1 else []
    for name, value in measure(*numbers).items():
        print(f"{name:<40}{value:>12.2f}")


if __name__ == "__main__":
    _main(sys.argv[1:])
