# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Measure how many devices the servers onboard in a second, and how soon they answer.

`muster serve` runs in a process of its own, as it is installed, with its database on disk;
`muster-fleet` in another, on the same two cores. docs/performance.md has the figures.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tests.bench.aims import rows
from tests.bench.onem2m_servers import cpu_s

CLIENTS = 16
DEVICES = 600
READINGS = 20  # of each of some devices, one after another, with nothing else to do
_READERS = 8
_WARMING = 32
_READY_S = 120
_RUN_S = 600
_QUIET_S, _IDLE_SHARE = 0.5, 0.05
TOKEN = "the-administrators-token-of-the-bench"  # noqa: S105 - made up, and good here alone
_PROFILE: dict[str, Any] = {
    "name": "fleet",
    "networks": [{"ssid": "factory", "psk": "correct horse"}],
    "platform": {"url": "", "cse": "cse-in", "api": "Norg.example.fleet", "insecure": True},
    "country": "DE",
}


@dataclass
class Servers:
    """Servers that run, and where."""

    process: subprocess.Popen[str]
    urls: dict[str, str]
    token_file: Path
    folder: Path

    def fleet(self, *words: str, limit_s: float = _RUN_S) -> dict[str, Any]:
        """Run `muster-fleet` with these words; its figures. Raises CalledProcessError."""
        done = subprocess.run(
            self.command(*words, "--pid", str(self.process.pid), "--json"),
            stdout=subprocess.PIPE,
            text=True,
            timeout=limit_s,
            check=True,
        )
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[0])
        return found

    def command(self, *words: str) -> list[str]:
        """The command `muster-fleet` with these words, against these servers."""
        portal = ("--portal", self.urls["portal"], "--token-file", str(self.token_file))
        return [
            *(sys.executable, "-m", "muster_harness.fleet", *words),
            *("--server", self.urls["config"]),
            *(portal if words[0] != "sync" else ()),
        ]

    def ask(self, method: str, path: str, body: Any = None) -> requests.Response:
        """Ask the portal as its administrator. Raises HTTPError for a refusal."""
        answer = requests.request(
            method,
            self.urls["portal"] + path,
            json=body,
            headers={"Authorization": f"Bearer {TOKEN}"},
            timeout=30,
        )
        answer.raise_for_status()
        return answer


@contextmanager
def servers() -> Iterator[Servers]:
    """All three on free ports of this machine, with the profile "fleet"."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        token_file = folder / "token"
        token_file.touch(0o600)
        token_file.write_text(TOKEN)
        with started(folder, token_file) as running:
            add_profile(running)
            yield running


def add_profile(running: Servers) -> None:
    """Make the profile "fleet" for the platform where it is now. Raises HTTPError."""
    platform = _PROFILE["platform"] | {"url": running.urls["platform"]}
    running.ask("POST", "/v1/profiles", _PROFILE | {"platform": platform})


@contextmanager
def started(
    folder: Path,
    token_file: Path,
    ports: tuple[int, ...] = (0, 0, 0),
    options: tuple[str, ...] = (),
) -> Iterator[Servers]:
    """Servers on the data in this folder; they are ended with the block, if nobody did before.
    `options` are more of them for `muster serve`.
    """
    roles = zip(("portal", "config", "platform"), ports, strict=True)
    listens = [f"--{role}-listen=127.0.0.1:{port}" for role, port in roles]
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "muster_server", "serve", "--data", str(folder / "data")),
            *("--advertise", "no", "--admin-token-file", str(token_file), *listens, *options),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={"PATH": os.environ["PATH"]},
    )
    try:
        yield Servers(process, _ready(process), token_file, folder)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _ready(process: subprocess.Popen[str]) -> dict[str, str]:
    assert process.stdout is not None
    urls: dict[str, str] = {}
    deadline = time.monotonic() + _READY_S
    while len(urls) < 3 and time.monotonic() < deadline:
        words = process.stdout.readline().split()
        if not words:
            raise RuntimeError("the servers did not start")
        if words[1:2] == ["ready"]:
            urls[words[0]] = words[2]
    if len(urls) < 3:
        raise RuntimeError(f"after {_READY_S} s no more than these are ready: {sorted(urls)}")
    return urls


def measure(devices: int = DEVICES) -> dict[str, float]:
    """Return onboardings in a second, their p99 and the servers' CPU; syncs; a reading's time."""
    with servers() as running:
        ledger = str(running.folder / "ledger")
        common = ("--profile", "fleet", "--clients", str(CLIENTS))
        running.fleet("onboard", "--devices", str(_WARMING), *common)
        before_s = settled_cpu_s(running.process.pid)
        found = running.fleet(
            *("onboard", "--devices", str(devices), "--first", str(_WARMING), *common),
            *("--ledger", ledger),
        )
        whole_s = settled_cpu_s(running.process.pid) - before_s
        alone = running.fleet(
            *("onboard", "--devices", str(_READERS), "--first", str(_WARMING + devices)),
            *("--profile", "fleet", "--clients", "1", "--readings", str(READINGS)),
        )
        syncs = running.fleet("sync", "--ledger", ledger, "--clients", str(CLIENTS))
        page_ms = _page_ms(running)
    times = found["times"]
    return {
        "fleet.onboardings_per_s_16": found["per_s"],
        "fleet.onboarding_p50_ms": times["onboarding"]["p50_ms"],
        "fleet.onboarding_p99_ms": times["onboarding"]["p99_ms"],
        "fleet.server_cpu_ms_per_onboarding": found["server_cpu_ms_each"],
        "fleet.server_cpu_ms_with_chores": whole_s * 1000 / devices,
        "fleet.generator_cpu_ms_per_onboarding": found["generator_cpu_ms_each"],
        "fleet.onboarding_alone_ms": alone["times"]["onboarding"]["p50_ms"],
        "fleet.reading_ms_kept_alive": alone["times"]["readings"]["p50_ms"] / READINGS,
        "fleet.refused": sum(found["refusals"].values()),
        "fleet.syncs_per_s_16": syncs["per_s"],
        "fleet.sync_p99_ms": syncs["times"]["sync"]["p99_ms"],
        "fleet.sync_cpu_ms": syncs["server_cpu_ms_each"],
        "fleet.page_of_100_ms": page_ms,
    }


def settled_cpu_s(pid: int) -> float:
    """CPU time of the process, once it has next to nothing to do: what the platform is told of
    devices may come after their last answer.
    """
    deadline, used_s = time.monotonic() + _RUN_S, cpu_s(pid)
    while time.monotonic() < deadline:
        time.sleep(_QUIET_S)
        former_s, used_s = used_s, cpu_s(pid)
        if used_s - former_s < _IDLE_SHARE * _QUIET_S:
            break
    return used_s


def _page_ms(running: Servers) -> float:
    best = float("inf")
    for _ in range(3):
        began = time.perf_counter()
        running.ask("GET", "/v1/devices?limit=100")
        best = min(best, time.perf_counter() - began)
    return best * 1000


if __name__ == "__main__":
    for row in rows(measure(int(sys.argv[1]) if len(sys.argv) > 1 else DEVICES)):
        print(row)
