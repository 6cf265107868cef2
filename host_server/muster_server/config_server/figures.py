# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The configuration server's figures for operators."""

import threading
import time
from collections.abc import Callable, Iterable

from muster_server.gauges import Gauge
from muster_server.store.config import ConfigStore

# So long the counts of devices are good, or so many times as long as it took to count them: each
# looks at an index of all of them.
_COUNTED_S = 10.0
_SHARE = 100


class Figures:
    """Devices by state and code, jobs, and who waits. A gauges.Source."""

    def __init__(
        self,
        store: ConfigStore,
        waiting: Callable[[], int],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._waiting = waiting
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._counted: tuple[float, list[Gauge]] | None = None

    def check(self) -> None:
        """Unavailable if the database cannot be read, or its turn to write does not come."""
        with self._store.transaction() as records:
            records.profiles.names()

    def gauges(self) -> Iterable[Gauge]:
        """Return the figures. Unavailable if the database does not answer."""
        waiting = Gauge("muster_syncs_waiting", "Syncs that wait.", {"": self._waiting()})
        with self._lock:
            now = self._monotonic()
            if self._counted is None or now > self._counted[0]:
                found, after = self._count(), self._monotonic()
                good_s = max(_COUNTED_S, _SHARE * (after - now))
                self._counted = after + good_s, found
            return [waiting, *self._counted[1]]

    def _count(self) -> list[Gauge]:
        with self._store.reading() as records:
            states, codes = records.devices.states(), records.devices.codes()
            jobs = records.jobs.counts()
        return [
            Gauge("muster_devices", "Devices by state.", states, "state"),
            Gauge("muster_devices_failed", "Devices by outcome code.", codes, "code"),
            Gauge("muster_jobs", "What is to be done at platforms.", jobs, "deed"),
        ]
