# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# When this device asks its configuration server next (steps 5 and 6, and every later contact), and
# whether anybody has answered lately. How it asks is sync.py's, which is loaded for it.

import time

from micropython import const

from .modules import borrowed

_DAY_S = const(86400)


# Keeps when the server is asked next. Names that are not private are for sync.py.
class Contact:
    def __init__(self, identity, clock, journal, timeline, store):
        self.identity = identity
        self.clock = clock
        self.journal = journal
        self.timeline = timeline
        self.store = store
        self.unanswered = 0  # questions in a row
        self.is_asking = False
        self.is_short = False  # this life has begun, and is expected to end, with deep sleep
        # How long nobody has answered, until that moment in ticks: the clock may be set at any
        # moment, and a device that asks once a day is not ignored. kept_h: as flash has it, see
        # sync.py; None if nobody has looked.
        self._silent_s = 0
        self._silent_at = None  # somebody has answered
        self.kept_h = None
        self._next = time.ticks_ms()

    # Makes one sync under the configuration's key, see sync.py; to be awaited.
    def ask(self, config, state):
        return borrowed("sync", "ask", self, config, state)

    # Makes one sync with this server, see sync.py; to be awaited.
    def ask_at(self, server, config, seen, state, timeout_ms):
        return borrowed("sync", "ask_at", self, server, config, seen, state, timeout_ms)

    # Goes on after deep sleep.
    def wake(self, next_s, silent_s, unanswered):
        self.is_short = True
        self.due_in(next_s)
        self.unanswered = unanswered
        self.silent_for(silent_s)

    # Notes that nobody has answered for so long. None: somebody just did.
    def silent_for(self, seconds):
        self._silent_s = seconds
        self._silent_at = None if seconds is None else time.ticks_ms()

    # Returns for how long nobody has answered, or None. Ticks wrap: what seems to lie ahead is
    # longer ago than half their range, some six days.
    def silence_s(self):
        if self._silent_at is None:
            return None
        ms = time.ticks_diff(time.ticks_ms(), self._silent_at)
        return self._silent_s + (ms // 1000 if ms >= 0 else 6 * _DAY_S)

    # Sets when the next contact is due: in ticks, because the clock may be set at any moment; a
    # day is well below half their range.
    def due_in(self, seconds):
        self._next = time.ticks_add(time.ticks_ms(), min(seconds, _DAY_S) * 1000)

    # Returns in how many seconds it is due, not before that.
    def left_s(self):
        ms = time.ticks_diff(self._next, time.ticks_ms())
        return (ms + 999) // 1000 if 0 < ms <= _DAY_S * 1000 else 0

    # Tells whether it is due now, or within so many seconds.
    def is_due(self, within_s=0):
        return time.ticks_diff(self._next, time.ticks_ms()) <= within_s * 1000
