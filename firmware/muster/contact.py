# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# When this device asks its configuration server next (steps 5 and 6, and every later contact), and
# whether anybody has answered lately. How it asks is sync.py's, which is loaded for it.

import time

from micropython import const

from .backoff import Backoff
from .modules import borrowed

_DAY_S = const(86400)
_DAY_MS = const(86400000)  # nobody has answered for so long: the label's key is tried


# What is not private is for sync.py.
class Contact:
    def __init__(self, identity, clock, journal, timeline):
        self.identity = identity
        self.clock = clock
        self.journal = journal
        self.timeline = timeline
        self.retry = Backoff()
        # When the first question was asked that nobody has answered since. In ticks: the clock
        # may be set at any moment, and a device that asks once a day is not ignored.
        self._ignored_since = None
        self._next = time.ticks_ms()

    # One sync under the configuration's key, see sync.py; to be awaited.
    def ask(self, config, state):
        return borrowed("sync", "ask", self, config, state)

    # One sync with this server, see sync.py; to be awaited.
    def ask_at(self, server, config, seen, state, timeout_ms):
        return borrowed("sync", "ask_at", self, server, config, seen, state, timeout_ms)

    def heard(self, is_answered):
        if is_answered:
            self._ignored_since = None
        elif self._ignored_since is None:
            self._ignored_since = time.ticks_ms()

    # Ticks wrap: what seems to lie ahead is longer ago than half their range, some six days.
    def is_ignored(self):
        if self._ignored_since is None:
            return False
        return not 0 <= time.ticks_diff(time.ticks_ms(), self._ignored_since) <= _DAY_MS

    # In ticks, because the clock may be set at any moment; a day is well below half their range.
    def due_in(self, seconds):
        self._next = time.ticks_add(time.ticks_ms(), min(seconds, _DAY_S) * 1000)

    # Now, or within so many seconds.
    def is_due(self, within_s=0):
        return time.ticks_diff(self._next, time.ticks_ms()) <= within_s * 1000
