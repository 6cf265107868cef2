# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The device's own record of the nine steps, with durations and outcome codes. It lies in RTC
# memory, which outlives every reset but a loss of power; the journal keeps a copy in flash.
#
# The record: a head of 19 bytes (early resets in a row, step under way, who is to blame, how often
# a dead link was cured in vain, how often the board restarted for want of memory for TLS), then a
# line an entry, oldest first, e.g. b"8 wifi_auth 5020 1795400000" (code, ms, when it ended). In
# RTC memory its CRC-32 stands before it, and before that the block of waking.py, SLEPT bytes.
# restart.py reads what a former life has left.

import binascii
import gc
import time

from micropython import const

from . import log
from .clock import EPOCH_2000

_LONGEST = const(24)  # entries: three attempts at steps 3 to 9 and a few retries
SLEPT = const(100)
HEAD = const(19)
EARLY = const(0)  # where in the head
STEP = const(1)
WHO = const(2)  # 15 bytes, for the name of an exception
CURES = const(17)
SHORTAGES = const(18)

SEEK = const(3)
FIND = const(4)
REPORT = const(5)
RECEIVE = const(6)
LEAVE = const(7)
JOIN = const(8)
REGISTER = const(9)
PROVED = const(10)  # all nine have succeeded; in the journal only


class Timeline:
    # memory: as machine.RTC().memory. record: what it holds. pulse: hears of each step. slept: the
    # block of waking.py, or None.
    def __init__(self, memory, record, pulse, slept=None):
        self._memory = memory
        self.slept = slept or bytes(SLEPT)
        self.record = record
        self._pulse = pulse
        self.step = None
        self._began_ms = time.ticks_ms()
        self.put(EARLY, record[:1])  # a life that ends at once has begun nonetheless

    def begin(self, step):
        self._pulse.life()
        # Seeking and asking repeat for hours where nobody answers: one attempt is kept, not all,
        # and of those before it how the last one failed.
        failure = b""
        while step <= RECEIVE and len(self.record) > HEAD:
            last = max(self.record.rfind(b"\n", 0, -1) + 1, HEAD)
            line = self.record[last:]
            if not step <= line[0] - 48 <= RECEIVE:
                break
            if not failure and b" ok " not in line:
                failure = line
            self.record = self.record[:last]
        self.record += failure
        self._under_way(step)
        gc.collect()  # what a step loads comes to lie close together
        self._began_ms = time.ticks_ms()

    def done(self, detail=""):
        self._end("ok", detail)

    # Notes that the step under way failed so, unless the error knows better in which step it
    # happened.
    def failed(self, error):
        if self.step is None:
            self._began_ms = time.ticks_ms()
        self.step = error.step = error.step or self.step
        self._end(error.code, error.detail)

    # Drops the step under way, which is neither done nor failed: somebody has ended it.
    def drop(self):
        self._under_way(None)

    def _end(self, code, detail):
        if self.step is None:
            return
        ms = time.ticks_diff(time.ticks_ms(), self._began_ms)
        lines = self.record[HEAD:]
        if lines.count(b"\n") >= _LONGEST:
            lines = lines[lines.find(b"\n") + 1 :]
        line = "%d %s %d %d\n" % (self.step, code, ms, time.time() + EPOCH_2000)
        self.record = self.record[:HEAD] + lines + line.encode()
        say = log.info if code == "ok" else log.error
        say("step", "%d %s %dms %s" % (self.step, code, ms, detail))
        self._under_way(None)

    # Notes which task or defect has ended this life, for the next one to say; "" takes it back.
    def blame(self, who):
        self.put(WHO, (who.encode() + bytes(HEAD))[: CURES - WHO])

    # Notes which step is under way. None: between the steps.
    def _under_way(self, step):
        self.step = step
        self.put(STEP, bytes((step or 0,)))

    # Puts bytes into the record at that place.
    def put(self, at, what):
        record = self.record = self.record[:at] + what + self.record[at + len(what) :]
        self._memory(self.slept + binascii.crc32(record).to_bytes(4, "little") + record)
