# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Measure the pages that people open, whole, with a fleet behind them.

A time is what this process computes for one page: browser's request, portal, configuration
server and template; not what others on the machine do.
"""

import sys
import tempfile
import time
from pathlib import Path

from tests.bench.copies import device_id
from tests.bench.fleet_pages import SIZES, Grown
from tests.host_server.config_server.field import PROFILE
from tests.host_server.portal.pages.site import Person, opened

_REPEATS = 10


def _pages(grown: Grown, devices: int) -> dict[str, str]:
    name, middle = PROFILE["name"], device_id(devices // 2)
    return {
        "devices": "/devices",
        "devices_middle": f"/devices?after={middle}",
        "devices_of_state": "/devices?show=registered",
        "devices_waiting_for_you": "/devices?show=you",
        "devices_of_group": "/devices?group=hall 7",
        "devices_of_tag": "/devices?tag=rare",
        "devices_search": "/devices?search=device 99",
        "devices_by_heard": "/devices?sort=heard",
        "devices_behind": f"/devices?profile={name}&behind=yes",
        "several": "/several",
        "device": f"/devices/{middle}",
        "versions": f"/settings/{name}/versions",
        "rollout": f"/rollouts/{grown.rollout_id}",
        "rollout_failed": f"/rollouts/{grown.rollout_id}?state=failed",
        "task": f"/tasks/{grown.task_id}",
        "overview": "/overview",
    }


def _median_ms(person: Person, path: str) -> float:
    times = []
    for _ in range(_REPEATS):
        began = time.process_time()
        status = person.get(path).status_code
        times.append(time.process_time() - began)
        if status != 200:
            raise RuntimeError(f"{path}: {status}")
    return sorted(times)[len(times) // 2] * 1000


def measure(sizes: tuple[int, ...] = SIZES) -> dict[str, float]:
    """Return the median of each page for each size, in ms. Raises RuntimeError for a page that
    is not there.
    """
    found: dict[str, float] = {}
    for devices in sizes:
        with tempfile.TemporaryDirectory() as name:
            grown = Grown(Path(name), devices)
            with opened(grown.place, Path(name)) as site:
                ada = site.joined("ada", "administrator")
                for what, path in _pages(grown, devices).items():
                    found[f"html.{what}_{devices}_ms"] = _median_ms(ada, path)
            grown.engine.dispose()
    return found


if __name__ == "__main__":
    sizes = tuple(int(word) for word in sys.argv[1:]) or SIZES
    for name, value in measure(sizes).items():
        print(f"{name:<40}{value:>10.2f}")
