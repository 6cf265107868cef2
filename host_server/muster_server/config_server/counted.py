# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The number of devices that an owner has: by state, profile, group and tag; how many are silent.

To count a million takes a second. So up to so many devices are counted each time somebody asks;
the counts of a larger fleet are kept, and counted anew beside whoever asks when they are old.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from muster_server.store.config import ConfigStore

log = logging.getLogger(__name__)

EXACT = 5_000  # up to so many devices each answer is counted for itself
SILENT_S = 86400.0
_GOOD_S = 30.0  # then they are counted anew, while the former ones are told
_LONGEST_S = 600.0  # nobody is told what is older
_OWNERS = 64  # whose counts are kept


@dataclass(frozen=True)
class Counts:
    """Numbers of an owner's devices."""

    devices: int
    states: dict[str, int]
    profiles: dict[str, int]
    groups: dict[str, int]
    tags: dict[str, int]
    silent: int  # those at work that have said nothing since then
    silent_since: float


@dataclass
class _Kept:
    counts: Counts
    at: float
    is_renewed: bool = False  # now, by a thread


class Counted:
    """Tells counts. `clock` is the time by which devices are silent."""

    def __init__(
        self,
        store: ConfigStore,
        clock: Callable[[], float],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._clock = clock
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = {}

    def of(self, owner: str) -> Counts:
        """Return the counts of this owner's devices.

        Unavailable if the database does not answer.
        """
        with self._lock:
            kept, now = self._kept.get(owner), self._monotonic()
            is_good = kept is not None and now - kept.at < _LONGEST_S
            is_old = kept is not None and now - kept.at > _GOOD_S
            if kept is not None and is_good and is_old and not kept.is_renewed:
                kept.is_renewed = True
                threading.Thread(target=self._renew, args=(owner,), daemon=True).start()
        return kept.counts if kept is not None and is_good else self._count(owner)

    def _renew(self, owner: str) -> None:
        try:
            self._count(owner)
        except Exception as error:  # noqa: BLE001 - the end of a thread: the former ones stay
            log.warning("the devices could not be counted: %s", error)
            with self._lock:
                if owner in self._kept:
                    self._kept[owner].is_renewed = False

    def _count(self, owner: str) -> Counts:
        at, silent_since = self._monotonic(), self._clock() - SILENT_S
        with self._store.reading() as records:
            devices, states, profiles = records.devices.counts(owner)
            groups, tags = records.groups.counts(owner)
            silent = records.devices.silent_count(owner, silent_since)
        counts = Counts(devices, states, profiles, groups, tags, silent, silent_since)
        with self._lock:
            self._kept.pop(owner, None)
            if devices > EXACT:
                while len(self._kept) >= _OWNERS:
                    del self._kept[next(iter(self._kept))]
                self._kept[owner] = _Kept(counts, at)
        return counts
