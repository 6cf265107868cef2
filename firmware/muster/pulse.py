# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Who is alive: each task of the device says by when it will be heard of again, and the watchdog is
# fed only while all have kept their word.

import asyncio
import time

from micropython import const

from . import log
from .timeline import EARLY

_FEED_MS = const(1000)
_GRACE_MS = const(300000)  # what the life may do between two beats: nothing takes it longer
_EARLY_MS = const(60000)  # who resets sooner than this has a cause that will come again

LIFE = "life"


class Pulse:
    def __init__(self):
        self._due: dict = {}  # by the name of the task, in ticks

    # Notes the promise of a task to be heard of again within the time.
    def beat(self, who, within_ms):
        self._due[who] = time.ticks_add(time.ticks_ms(), within_ms)

    # Gives the life's own beat, before it waits so long or takes a step.
    def life(self, wait_ms=0):
        self.beat(LIFE, wait_ms + _GRACE_MS)

    # Returns the task that has broken its promise, or None. A task that has died does.
    def silent(self):
        now = time.ticks_ms()
        for who in self._due:
            if time.ticks_diff(self._due[who], now) < 0:
                return who
        return None

    # Feeds the watchdog as long as nobody is silent, and tells the timeline, which outlives the
    # bite, who is.
    async def feed(self, dog, timeline):
        is_told = False
        while True:
            who = self.silent()
            if who is None:
                dog.feed()
                if is_told:  # it was late, not dead: what ends this life later is not its fault
                    is_told = False
                    timeline.blame("")
            elif not is_told:
                is_told = True
                log.error("watchdog", "task %s is silent; the board will be reset" % who)
                timeline.blame(who)
            await asyncio.sleep_ms(_FEED_MS)


# Waits until this life has lasted a while with its radio allowed: then it is no early one.
async def settle(timeline, rest_ms):
    await asyncio.sleep_ms(rest_ms + _EARLY_MS)
    timeline.put(EARLY, b"\0")
