# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The strength of an access point where the boards are, which may change with time."""

import time
from collections.abc import Callable

from muster_harness.errors import AirError

WEAKEST_DBM = -97  # an ESP32's sensitivity at 1 Mbit/s (its datasheet, table of RF receivers)


class Signal:
    """One access point's signal in dBm. Any thread may ask."""

    def __init__(self, dbm: int):
        self._from = self._to = checked_dbm(dbm)
        self._begin = self._over_s = 0.0
        self._clock: Callable[[], float] = time.monotonic

    @property
    def dbm(self) -> int:
        """The strength now, in dBm."""
        if not self.is_fading:
            return self._to
        share = (self._clock() - self._begin) / self._over_s
        return round(self._from + (self._to - self._from) * share)

    @property
    def is_fading(self) -> bool:
        """True while it changes by itself."""
        return self._over_s > 0 and self._clock() - self._begin < self._over_s

    @property
    def is_heard(self) -> bool:
        """True if a board hears it now."""
        return self.dbm >= WEAKEST_DBM

    def set(self, dbm: int) -> None:
        """Be so strong from now on. Raises AirError for what is no signal."""
        self._to, self._over_s = checked_dbm(dbm), 0.0

    def fade(self, to_dbm: int, over_s: float, clock: Callable[[], float]) -> None:
        """Become so strong, evenly, over so many seconds of a clock. Raises AirError for what is
        no signal, and for no time."""
        if not isinstance(over_s, (int, float)) or over_s <= 0:
            raise AirError(f"a signal fades over more than 0 s, not {over_s!r}")
        to, now = checked_dbm(to_dbm), self.dbm
        self._from, self._to, self._clock = now, to, clock
        self._begin, self._over_s = clock(), float(over_s)


def checked_dbm(dbm: int) -> int:
    """Return a signal in dBm. Raises AirError for anything but -127 to 0."""
    if not isinstance(dbm, int) or isinstance(dbm, bool) or not -127 <= dbm <= 0:
        raise AirError(f"a signal is -127 to 0 dBm, e.g. -50, not {dbm!r}")
    return dbm
