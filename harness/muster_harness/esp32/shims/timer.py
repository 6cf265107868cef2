# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# machine.Timer on the board's clock. Callbacks run where the program waits.

import clock
import host_link
from arguments import integer, real

_FOREVER = 0xFFFFFFFF
_hardware = {}


class Timer:
    ONE_SHOT = 0
    PERIODIC = 1

    def __new__(cls, id=-1, **settings):
        id = integer(id)
        count = host_link.chip["timers"]
        if id >= count:
            raise ValueError(
                "Timer(%d) doesn't exist, there are only %d hardware timers" % (id, count)
            )
        if id in _hardware:
            return _hardware[id]
        self = object.__new__(cls)
        self._id = id
        self._callback = None
        self._period = self.due = 0
        self._repeats = False
        if id >= 0:
            _hardware[id] = self
        return self

    def __init__(self, id=-1, **settings):
        if settings:
            self.init(**settings)

    def init(self, *, mode=1, callback=None, period=_FOREVER, tick_hz=1000, freq=None, hard=False):
        self.deinit()
        if hard:
            raise ValueError("hard Timers are not implemented")
        mode, tick_hz = integer(mode), integer(tick_hz)
        if freq is not None:
            us = int(1000000 / real(freq))
        else:
            period = period if period is _FOREVER else integer(period) & _FOREVER
            us = period * 1000000 // tick_hz
        if us == 0:
            raise ValueError("Timer period is too short for this timer")
        self._period = max(1, us // 1000)
        self._repeats = bool(mode)
        self._callback = callback
        self.due = clock.now_ms() + self._period
        host_link.timers.append(self)

    def fire(self, now):
        if self._repeats:
            self.due += self._period
            if self.due <= now:  # the program was busy: missed ones are lost
                self.due = now + self._period
        elif self in host_link.timers:
            host_link.timers.remove(self)
        if self._callback:
            self._callback(self)

    def deinit(self):
        if self in host_link.timers:
            host_link.timers.remove(self)

    def value(self):
        left = self.due - clock.now_ms()
        return max(0, self._period - left) if self in host_link.timers else 0

    def __repr__(self):
        # The port names the other mode (machine_timer.c, machine_timer_print).
        mode = "ONE_SHOT" if self._repeats else "PERIODIC"
        return "Timer(%d, mode=%s, period=%d)" % (self._id, mode, self._period)
