# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Measure what it costs devices that somebody lists them all: the same syncs with and without.

    .venv/bin/python -m tests.bench.list_beside 1000000

The syncs have their turn with the list and without it, again and again, so that what else the
machine does meets both alike. docs/performance.md has the figures.
"""

import statistics
import sys
import threading
import time
from typing import Any

from tests.bench.aims import rows
from tests.bench.fleet import Servers
from tests.bench.herd import come_back

DEVICES = 100_000
_ROUNDS = 5
_SYNCS, _CLIENTS = 400, 4
_PAGE = 100


class _List:
    """Somebody who lists all devices, page after page, and begins again at their end."""

    def __init__(self, running: Servers) -> None:
        self._running = running
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self.page_s: list[float] = []
        self._failed: Exception | None = None

    def __enter__(self) -> "_List":
        self._thread.start()
        return self

    def __exit__(self, *about: object) -> None:
        self._is_over.set()
        self._thread.join(60)
        if self._failed is not None:
            raise self._failed

    def _read(self) -> None:
        after = ""
        try:
            while not self._is_over.is_set():
                began = time.perf_counter()
                page = self._running.ask("GET", f"/v1/devices?limit={_PAGE}{after}").json()
                self.page_s.append(time.perf_counter() - began)
                after = f"&after={page['next']}" if page.get("next") else ""
        except Exception as error:  # noqa: BLE001 - raised where the block ends
            self._failed = error


def measure(devices: int = DEVICES, rounds: int = _ROUNDS) -> dict[str, float]:
    """Return the times of syncs alone and beside the list, and of the list's pages."""
    alone: list[dict[str, Any]] = []
    beside: list[dict[str, Any]] = []
    pages: list[float] = []
    with come_back(devices, _SYNCS) as (running, ledger):
        words = ("sync", "--ledger", str(ledger), "--clients", str(_CLIENTS))
        running.fleet(*words)  # what is done once is done
        for _ in range(rounds):
            alone.append(running.fleet(*words))
            with _List(running) as listing:
                beside.append(running.fleet(*words))
            pages += listing.page_s
    found = {"list_beside.devices": float(devices)}
    for name, runs in (("alone", alone), ("beside", beside)):
        for which in ("p50_ms", "p99_ms"):
            times = [run["times"]["sync"][which] for run in runs]
            found[f"list_beside.sync_{name}_{which}"] = statistics.median(times)
        found[f"list_beside.refused_{name}"] = sum(sum(run["refusals"].values()) for run in runs)
    return found | {
        "list_beside.page_p50_ms": statistics.median(pages) * 1000,
        "list_beside.pages": len(pages),
    }


if __name__ == "__main__":
    for row in rows(measure(int(sys.argv[1]) if len(sys.argv) > 1 else DEVICES)):
        print(row)
