# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The device's idea of Unix time, and how far it may be trusted.

import time

from micropython import const

from . import log

EPOCH_2000 = const(946684800)  # 2000-01-01 in Unix time; where the ESP32 starts to count
_DAY_S = const(86400)


class Clock:
    # built: the build date; kept: the last authenticated time that was stored. The later of the
    # two is the floor.
    def __init__(self, set_rtc, built, kept, keep_floor):
        self._set_rtc = set_rtc
        self.keep_floor = keep_floor
        self.built = built
        floor = self.floor = max(built, kept)
        # Whether somebody has told the time since the start. What the RTC has kept through a
        # reset may have been a floor before, so until then the clock is a guess: not ahead.
        self.is_known = False
        # Whether that was somebody who has proved who they are; an NTP server has not.
        self.is_vouched = False
        self.is_doubted = False  # what NTP has said; it is asked once more
        if self.now() < floor:
            self.show(floor)

    def now(self):
        return time.time() + EPOCH_2000

    # Sets an authenticated time: a directive's may move the clock either way.
    def set(self, unix):
        self.show(unix)
        self.is_known = self.is_vouched = True
        # Downwards too: a server whose clock was wrong once must not leave a floor in the future.
        if unix > self.floor + _DAY_S or unix < self.floor:
            self.floor = max(unix, self.built)
            self.keep_floor(self.floor)

    # Sets what the board shows from now on, whoever has said so; no floor is made of it.
    def show(self, unix):
        t = time.gmtime(unix - EPOCH_2000)
        self._set_rtc((t[0], t[1], t[2], t[6], t[3], t[4], t[5], 0))
        log.info("clock", "%04d-%02d-%02dT%02d:%02d:%02dZ" % t[:6])
