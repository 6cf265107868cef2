# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# How long to wait after a failure: 1 s doubling to 5 min, with jitter. Never gives up.

import random
import time

from micropython import const

_FIRST_MS = const(1000)
_LONGEST_MS = const(300000)


class Backoff:
    # failures: how many there have been before this object was made.
    def __init__(self, failures=0):
        self._next_ms = min(_FIRST_MS << min(failures, 16), _LONGEST_MS)

    def reset(self):
        self._next_ms = _FIRST_MS

    # Returns the next delay; +-25 % keeps a fleet that failed together from returning together.
    def next_ms(self):
        base = self._next_ms
        self._next_ms = min(base * 2, _LONGEST_MS)
        return base - base // 4 + random.randrange(base // 2)


# Delays the second try of a version that has failed, because it would fail again: the device asks,
# later and later and over restarts too, whether there is something better.
class SecondTry:
    # journal counts the failures of a version in a row.
    def __init__(self, journal):
        self._journal = journal
        self.wait()

    # at_least_s: what a peer has asked for; at most as long as any wait.
    def wait(self, at_least_s=0):
        failures = self._journal.failures
        wait_ms = Backoff(failures - 1).next_ms() if failures else 0
        wait_ms = max(wait_ms, min(at_least_s * 1000, _LONGEST_MS))
        self._at = time.ticks_add(time.ticks_ms(), wait_ms)

    # Goes on after deep sleep.
    def due_in(self, seconds):
        self._at = time.ticks_add(time.ticks_ms(), seconds * 1000)

    # The button overrides every wait.
    def hurry(self):
        self.due_in(0)

    def due_in_ms(self, version):
        if version != self._journal.failed_version:
            return 0
        wait_ms = time.ticks_diff(self._at, time.ticks_ms())
        # Ticks wrap: what was due days ago seems to come in days. No wait is that long.
        return wait_ms if 0 < wait_ms <= _LONGEST_MS + _LONGEST_MS // 4 else 0
