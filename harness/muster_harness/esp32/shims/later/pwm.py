# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# machine.PWM: frequency and duty as the LEDC of an ESP32 takes them; the host sees the signal.

import host_link
from arguments import at_most, integer
from micropython import const
from pin import number

_MOST_HZ = const(40000000)
_CLOCK_HZ = const(80000000)
_FULL = const(65536)

_active = {}  # pin: the object that drives it


def _only(args):
    at_most(1, args, 1)
    return integer(args[0])


class PWM:
    def __init__(
        self, dest, freq=-1, *, duty=-1, duty_u16=-1, duty_ns=-1, invert=False, lightsleep=False
    ):
        self._pin = number(dest)
        before = _active.get(self._pin)
        channels = host_link.chip["pwm_channels"]
        if before is None and len(_active) >= channels:
            raise RuntimeError("out of PWM channels:%d" % channels)
        self._freq = before._freq if before else 5000
        self._duty = before._duty if before else _FULL // 2
        self._invert = False
        self.init(freq, duty=duty, duty_u16=duty_u16, duty_ns=duty_ns, invert=invert)

    def init(self, freq=-1, *, duty=-1, duty_u16=-1, duty_ns=-1, invert=None, lightsleep=False):
        freq, duty, duty_u16, duty_ns = map(integer, (freq, duty, duty_u16, duty_ns))
        freq = self._freq if freq == -1 else freq
        if not 0 < freq <= _MOST_HZ:
            raise ValueError("frequency must be from 1Hz to %dMHz" % (_MOST_HZ // 1000000))
        self._freq = freq
        if invert is not None:
            self._invert = bool(invert)
        _active[self._pin] = self
        if duty_u16 != -1:
            self.duty_u16(duty_u16)
        elif duty_ns != -1:
            self.duty_ns(duty_ns)
        elif duty != -1:
            self.duty(duty)
        else:
            self._apply(self._duty)

    def deinit(self):
        if _active.get(self._pin) is self:
            del _active[self._pin]
            host_link.request("pwm", self._pin)

    def freq(self, *hz):
        self._require_active()
        at_most(1, hz, 1)
        return self.init(hz[0]) if hz else self._freq

    # A duty is kept with as many bits as the counter has at this frequency.
    def _apply(self, duty):
        bits = 0
        while bits < 16 and (_CLOCK_HZ + self._freq // 2) // self._freq >> bits + 1:
            bits += 1
        self._duty = duty
        self._kept = duty >> 16 - bits << 16 - bits
        level = _FULL - self._kept if self._invert else self._kept
        host_link.request("pwm", self._pin, self._freq, level)

    def duty_u16(self, *duty):
        self._require_active()
        if not duty:
            return min(self._kept, _FULL - 1)
        duty = _only(duty)
        if not 0 <= duty < _FULL:
            raise ValueError("duty_u16 must be from 0 to %d" % _FULL)
        return self._apply(_FULL if duty == _FULL - 1 else duty)

    def duty(self, *duty):
        self._require_active()
        if not duty:
            return self.duty_u16() >> 6
        duty = _only(duty)
        if not 0 <= duty < 1024:
            raise ValueError("duty must be from 0 to 1023")
        return self._apply(_FULL if duty == 1023 else duty << 6)

    def duty_ns(self, *ns):
        self._require_active()
        if not ns:
            return self._ns(self.duty_u16())
        ns = _only(ns)
        if not 0 <= ns <= self._ns(_FULL):
            raise ValueError("duty_ns must be from 0 to %d ns" % self._ns(_FULL))
        duty = (ns * _FULL * self._freq + 500000000) // 1000000000
        return self._apply(min(max(duty, 1 if ns else 0), _FULL))

    def _ns(self, duty):
        return (duty * 1000000000 + self._freq * _FULL // 2) // (self._freq * _FULL)

    def _require_active(self):
        if _active.get(self._pin) is not self:
            raise RuntimeError("PWM is inactive")

    def __repr__(self):
        if _active.get(self._pin) is not self:
            return "PWM(Pin(%u))" % self._pin
        more = ", invert=True" if self._invert else ""
        return "PWM(Pin(%u), freq=%u, duty_u16=%d%s)" % (
            self._pin,
            self._freq,
            self.duty_u16(),
            more,
        )
