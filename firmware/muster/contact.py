# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# When this device asks its configuration server next (steps 5 and 6, and every later contact). How
# it asks is sync.py's, which is loaded for it.

import time

from micropython import const

from .modules import borrowed

_DAY_S = const(86400)
_HOUR_S = const(3600)


# Keeps when the server is asked next. Names that are not private are for the modules around it.
class Contact:
    def __init__(self, identity, clock, journal, timeline):
        self.identity = identity
        self.clock = clock
        self.journal = journal
        self.timeline = timeline
        self.unanswered = 0  # questions in a row
        self.is_asking = False
        self.is_short = False  # this life has begun, and is expected to end, with deep sleep
        # For silence.py. How long nobody has answered, lives before this one included, until that
        # moment in ticks: the clock may be set at any moment, and a device that asks once a day is
        # not ignored. None: somebody has.
        self.silent_s = journal.silent_h * _HOUR_S
        self.silent_at = time.ticks_ms() if journal.silent_h else None
        self.next = time.ticks_ms()
        self.local = None  # the names of networks to be reported, see local_wifi.py; None: no word

    # Makes one sync with the configuration's server, see sync.py; to be awaited.
    def ask(self, config, state):
        return borrowed("sync", "ask", self, config, state)

    # Makes one sync with this server, see sync.py; to be awaited.
    def ask_at(self, server, key, seen, state, timeout_ms):
        return borrowed("sync", "ask_at", self, server, key, seen, state, timeout_ms)

    # Sets when the next contact is due: in ticks, because the clock may be set at any moment; a
    # day is well below half their range.
    def due_in(self, seconds):
        self.next = time.ticks_add(time.ticks_ms(), min(seconds, _DAY_S) * 1000)

    # Tells whether it is due now, or within so many seconds.
    def is_due(self, within_s=0):
        return time.ticks_diff(self.next, time.ticks_ms()) <= within_s * 1000
