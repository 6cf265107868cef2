# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# When this device asks its configuration server next (steps 5 and 6, and every later contact). How
# it asks is sync.py's, which is loaded for it.

import time

from micropython import const

from .backoff import Backoff
from .modules import borrowed

_DAY_S = const(86400)


# Keeps when the server is asked next. Names that are not private are for sync.py.
class Contact:
    def __init__(self, identity, clock, journal, timeline):
        self.identity = identity
        self.clock = clock
        self.journal = journal
        self.timeline = timeline
        self.retry = Backoff()
        self.ignored_at = None  # when this life has asked in vain last
        self._next = time.ticks_ms()

    # Makes one sync with the configuration's server, see sync.py; to be awaited.
    def ask(self, config, state):
        return borrowed("sync", "ask", self, config, state)

    # Makes one sync with this server, see sync.py; to be awaited.
    def ask_at(self, server, key, seen, state, timeout_ms):
        return borrowed("sync", "ask_at", self, server, key, seen, state, timeout_ms)

    # Sets when the next contact is due: in ticks, because the clock may be set at any moment; a
    # day is well below half their range.
    def due_in(self, seconds):
        self._next = time.ticks_add(time.ticks_ms(), min(seconds, _DAY_S) * 1000)

    # Tells whether it is due now, or within so many seconds.
    def is_due(self, within_s=0):
        return time.ticks_diff(self._next, time.ticks_ms()) <= within_s * 1000
