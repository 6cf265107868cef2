# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Measure a crowd: claims, looks at devices and syncs, all at the same moment."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from muster_harness.deploy.labels import new_label
from muster_harness.fleet.device import FleetDevice, Refused
from muster_harness.fleet.ledger import read_ledger
from muster_harness.fleet.link import Links, loopback_address
from tests.bench.aims import rows
from tests.bench.fleet import TOKEN, Servers, servers, settled_cpu_s
from tests.bench.onem2m_servers import cpu_s

CLAIMS, LOOKS, SYNCS = 48, 48, 200
_DEVICES = 40
_END_S = 120

Work = Callable[[], Awaitable[float]]  # how long the answer took from when it was asked for


@dataclass
class Crowd:
    """The times that each kind took, in seconds, and what was refused."""

    times: dict[str, list[float]] = field(default_factory=dict)
    refusals: list[str] = field(default_factory=list)
    server_cpu_s: float = 0.0

    async def member(self, kind: str, do: Work) -> None:
        """Do it, and note how long it took."""
        try:
            took_s = await do()
        except Refused as refusal:
            self.refusals.append(f"{kind}: {refusal.what}")
            return
        self.times.setdefault(kind, []).append(took_s)


def crowd(running: Servers) -> Crowd:
    """Let all come at once to servers with some devices."""
    ledger = running.folder / "crowd"
    running.fleet(
        "onboard", "--profile", "fleet", "--devices", str(_DEVICES), "--ledger", str(ledger)
    )
    devices = [entry.device for entry in read_ledger(Path(ledger))]
    before_s = settled_cpu_s(running.process.pid)
    found = asyncio.run(_crowd(running, devices))
    found.server_cpu_s = cpu_s(running.process.pid) - before_s
    return found


async def _crowd(running: Servers, devices: list[FleetDevice]) -> Crowd:
    portal, found = Links(running.urls["portal"]), Crowd()
    works: list[tuple[str, Work]] = []
    for n in range(CLAIMS):
        works.append(("claim", _claim(portal, FleetDevice(new_label(), n))))
    for n in range(LOOKS):
        works.append(("look", _look(portal, devices[n % len(devices)])))
    for n in range(SYNCS):
        works.append(("sync", _sync(running.urls["config"], replace(devices[n % len(devices)]))))
    async with asyncio.timeout(_END_S):
        await asyncio.gather(*(found.member(*work) for work in works))
    portal.close()
    return found


def _claim(portal: Links, device: FleetDevice) -> Work:
    async def claim() -> float:
        await device.claim(portal, TOKEN, "fleet")
        return device.waited_s

    return claim


def _look(portal: Links, device: FleetDevice) -> Work:
    async def look() -> float:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        path = f"/v1/devices/{device.label.device_id}"
        answer = await portal.request("GET", path, headers=headers)
        if answer.status != 200:
            raise Refused(f"HTTP {answer.status} {answer.reason}")
        return answer.took_s

    return look


def _sync(server: str, device: FleetDevice) -> Work:
    device.source = loopback_address(server, device.number)

    async def sync() -> float:
        await device.check_in(server)
        return device.waited_s

    return sync


def measure() -> dict[str, float]:
    """Return the longest of each kind in ms, how many were refused, and what the servers have
    computed until the last of them had its answer.
    """
    with servers() as running:
        found = crowd(running)
    longest = {f"at_once.longest_{kind}_ms": max(t) * 1000 for kind, t in found.times.items()}
    return longest | {
        "at_once.refused": len(found.refusals),
        "at_once.server_cpu_ms": found.server_cpu_s * 1000,
    }


if __name__ == "__main__":
    for row in rows(measure()):
        print(row)
    sys.exit(0)
