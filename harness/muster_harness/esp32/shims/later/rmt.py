# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# esp32.RMT: pulses that the host sees, and that take their time.

import clock
import host_link
from arguments import integer
from micropython import const
from pin import number

_SOURCE_HZ = const(80000000)
_SYMBOLS = const(64)
_channel = None  # of bitstream_channel()


class RMT:
    PULSE_MAX = 32767

    def __init__(
        self,
        id=-1,
        *,
        pin,
        resolution_hz=None,
        clock_div=None,
        idle_level=False,
        tx_carrier=None,
        num_symbols=_SYMBOLS,
    ):
        if resolution_hz is not None and clock_div is not None:
            raise ValueError("resolution_hz and clock_div are mutually exclusive")
        if resolution_hz is not None and integer(resolution_hz) <= 0:
            raise ValueError("resolution_hz must be positive")
        if clock_div is not None and not 1 <= integer(clock_div) <= 255:
            raise ValueError("clock_div must be between 1 and 255")
        if integer(num_symbols) < _SYMBOLS or num_symbols & 1:
            raise ValueError("num_symbols must be even and at least %d" % _SYMBOLS)
        if tx_carrier is not None:
            frequency, duty, _ = tx_carrier
            if frequency <= 0:
                raise ValueError("tx_carrier frequency must be >0")
            if not 0 <= duty <= 100:
                raise ValueError("tx_carrier duty must be 0..100")
        self._hz = resolution_hz or _SOURCE_HZ // (clock_div or 8)
        self._idle = bool(idle_level)
        self._loops = 0
        self._ends_at = 0
        self._pin = number(pin)

    def _require(self):
        if self._pin is None:
            raise OSError("already deinitialized")

    @staticmethod
    def source_freq():
        return _SOURCE_HZ

    def clock_div(self):
        self._require()
        return _SOURCE_HZ // self._hz

    def active(self, *active):
        if active and active[0]:
            raise ValueError("activate by calling write_pulses()")
        if active:
            self._ends_at = 0
            return False
        return self._ends_at is None or clock.now_us() < self._ends_at

    def deinit(self):
        self._pin = None

    def wait_done(self, *, timeout=0):
        self._require()
        end = clock.now_ms() + timeout
        while self.active():
            if timeout >= 0 and clock.now_ms() >= end:
                return False
            host_link.sleep(1)
        return True

    def loop(self, enable):
        self.loop_count(-1 if enable else 0)

    def loop_count(self, count):
        self._require()
        if integer(count) < -1:
            raise ValueError("arg must be -1, 0 or positive")
        self._loops = count
        self._ends_at = 0

    def write_pulses(self, duration, data=True):
        self._require()
        if isinstance(duration, (tuple, list)):
            if isinstance(data, (tuple, list)):
                if len(duration) != len(data):
                    raise ValueError("duration and data must have same length")
                levels = data
            else:
                levels = [bool(data) ^ bool(i & 1) for i in range(len(duration))]
            durations = duration
        else:
            levels = data
            durations = [duration] * len(data)
        if not durations:
            raise ValueError("No pulses")
        if self._ends_at is not None:
            self.wait_done(timeout=-1)
        us = [integer(ticks) * 1000000 / self._hz for ticks in durations]
        host_link.request("rmt", self._pin, [(int(bool(v)), t) for v, t in zip(levels, us)])
        if self._loops < 0:
            self._ends_at = None
        else:
            self._ends_at = clock.now_us() + int(sum(us)) * max(1, self._loops)

    @staticmethod
    def bitstream_channel(*channel):
        global _channel
        if channel:
            if channel[0] is not None and not 0 <= channel[0] < 8:
                raise ValueError("invalid channel")
            _channel = channel[0]
        return _channel

    @staticmethod
    def bitstream_rmt(*use):
        return RMT.bitstream_channel(*[None if not one else 0 for one in use]) is not None
