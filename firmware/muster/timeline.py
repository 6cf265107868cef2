# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The device's own record of the nine steps, with durations and outcome codes.

import time

from micropython import const

from . import log

_LONGEST = const(24)  # entries: three attempts at steps 3 to 9 and a few retries

SEEK = const(3)
FIND = const(4)
REPORT = const(5)
RECEIVE = const(6)
LEAVE = const(7)
JOIN = const(8)
REGISTER = const(9)
PROVED = const(10)  # all nine have succeeded; in the journal only


class Timeline:
    def __init__(self):
        self.entries = []  # e.g. [[3, "ok", 212], [4, "wifi_auth", 5020]]
        self.step = None
        self._began_ms = time.ticks_ms()

    def begin(self, step):
        # Seeking and asking repeat for hours where nobody answers: one attempt is kept, not all.
        while step <= RECEIVE and self.entries and step <= self.entries[-1][0] <= RECEIVE:
            self.entries.pop()
        self.step = step
        self._began_ms = time.ticks_ms()

    def done(self, detail=""):
        self._end("ok", detail)

    # The step under way failed so, unless the error knows better in which step it happened.
    def failed(self, error):
        if self.step is None:
            self._began_ms = time.ticks_ms()
        self.step = error.step = error.step or self.step
        self._end(error.code, error.detail)

    def _end(self, code, detail):
        if self.step is None:
            return
        ms = time.ticks_diff(time.ticks_ms(), self._began_ms)
        self.entries.append([self.step, code, ms])
        del self.entries[:-_LONGEST]
        say = log.info if code == "ok" else log.error
        say("step", "%d %s %dms %s" % (self.step, code, ms, detail))
        self.step = None
