# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Measure a crowd: claims, looks at devices and syncs, all at the same moment."""

import copy
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from muster_harness.deploy.labels import new_label
from muster_harness.fleet.device import FleetDevice, Refused
from muster_harness.fleet.ledger import read_ledger
from muster_harness.fleet.link import Link, loopback_address
from tests.bench.fleet import TOKEN, Servers, servers

CLAIMS, LOOKS, SYNCS = 48, 48, 200
_DEVICES = 40
_END_S = 120


@dataclass
class Crowd:
    """The times that each kind took, in seconds, and what was refused."""

    times: dict[str, list[float]] = field(default_factory=dict)
    refusals: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def member(self, kind: str, do: Callable[[], object], start: threading.Barrier) -> None:
        """Wait until all are there, do it, and note how long it took."""
        start.wait(_END_S)
        began = time.perf_counter()
        try:
            do()
        except Refused as refusal:
            with self.lock:
                self.refusals.append(refusal.what)
        with self.lock:
            self.times.setdefault(kind, []).append(time.perf_counter() - began)


def crowd(running: Servers) -> Crowd:
    """Let all come at once to servers with some devices."""
    ledger = running.folder / "crowd"
    running.fleet(
        "onboard", "--profile", "fleet", "--devices", str(_DEVICES), "--ledger", str(ledger)
    )
    devices = [entry.device for entry in read_ledger(Path(ledger))]
    works: list[tuple[str, Callable[[], object]]] = []
    for n in range(CLAIMS):
        works.append(("claim", _claim(running, FleetDevice(new_label(), n))))
    for n in range(LOOKS):
        works.append(("look", _look(running, devices[n % len(devices)])))
    for n in range(SYNCS):
        device = copy.copy(devices[n % len(devices)])
        device.source = loopback_address(running.urls["config"], device.number)
        works.append(("sync", lambda device=device: device.check_in(running.urls["config"])))  # type: ignore[misc]
    found, start = Crowd(), threading.Barrier(len(works))
    threads = [threading.Thread(target=found.member, args=(*work, start)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(_END_S)
    return found


def _claim(running: Servers, device: FleetDevice) -> Callable[[], object]:
    def claim() -> None:
        portal = Link(running.urls["portal"])
        try:
            device.claim(portal, TOKEN, "fleet")
        finally:
            portal.close()

    return claim


def _look(running: Servers, device: FleetDevice) -> Callable[[], object]:
    def look() -> None:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        path = f"/v1/devices/{device.label.device_id}"
        answer = Link(running.urls["portal"]).request("GET", path, headers=headers)
        if answer.status != 200:
            raise Refused(f"look: HTTP {answer.status} {answer.reason}")

    return look


def measure() -> dict[str, float]:
    """Return the longest of each kind in ms, and how many were refused."""
    with servers() as running:
        found = crowd(running)
    worst = {f"fleet.crowd_{k}_worst_ms": max(t) * 1000 for k, t in sorted(found.times.items())}
    return worst | {"fleet.crowd_refused": len(found.refusals)}


if __name__ == "__main__":
    for name, value in measure().items():
        print(f"{name:<40}{value:>10.2f}")
    sys.exit(0)
