# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Measures the CPU time of the servers for each step of an onboarding, one device after another.

    .venv/bin/python -m tests.bench.fleet_steps     # docs/performance.md has the figures

What the step leaves to be done afterwards is counted with it. The median of some rounds is told:
where other programs are at work, rates say little.
"""

import asyncio
import secrets
import statistics
import sys
from collections.abc import Awaitable, Callable

from muster_harness.deploy.labels import Label
from muster_harness.fleet.device import FleetDevice
from muster_harness.fleet.link import Links, loopback_address
from tests.bench.fleet import TOKEN, Servers, servers, settled_cpu_s

_DEVICES = 20  # in a round
_ROUNDS = 6

Step = Callable[[FleetDevice], Awaitable[object]]


def measure(rounds: int = _ROUNDS) -> dict[str, float]:
    """Return the milliseconds of each step."""
    with servers() as running:
        found = asyncio.run(_rounds(running, 1 + rounds))[1:]  # what is done once is done
    return {
        f"fleet.{name}_cpu_ms": statistics.median(times[name] for times in found)
        for name in found[0]
    }


async def _rounds(running: Servers, count: int) -> list[dict[str, float]]:
    return [await one_round(running, n * _DEVICES) for n in range(count)]


async def one_round(running: Servers, first: int) -> dict[str, float]:
    """Onboard some devices, each step for all of them before the next."""
    config = running.urls["config"]
    devices = [_device(config, number) for number in range(first, first + _DEVICES)]
    portal = Links(running.urls["portal"])
    steps: dict[str, Step] = {
        "claim": lambda device: device.claim(portal, TOKEN, "fleet"),
        "fetch": lambda device: device.fetch(config),
        "register": lambda device: device.register(),
        "confirm": lambda device: device.confirm(config),
        "later_sync": lambda device: device.check_in(config),
    }
    times: dict[str, float] = {}
    for name, do in steps.items():
        before_s = settled_cpu_s(running.process.pid)
        for device in devices:
            await do(device)
        used_s = settled_cpu_s(running.process.pid) - before_s
        times[name] = used_s * 1000 / _DEVICES
    for device in devices:
        device.hang_up()
    portal.close()
    return times


def _device(config: str, number: int) -> FleetDevice:
    label = Label(f"STEP-{number}", secrets.token_bytes(20))
    return FleetDevice(label, number, source=loopback_address(config, number))


if __name__ == "__main__":
    for name, value in measure(int(sys.argv[1]) if len(sys.argv) > 1 else _ROUNDS).items():
        print(f"{name:<40}{value:>10.2f}")
