# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# time with the ESP32's epoch (2000-01-01), ticks since the chip has started, and the board's own
# clock, which begins in 2000 at power-on and is kept over resets by the supervisor.

import clock
import host_link
from arguments import integer, real
from micropython import const
from native import builtin

_native = builtin("time")
_EPOCH_S = const(946684800)  # 2000-01-01 in Unix time
_MASK = clock.PERIOD - 1

ticks_add = clock.ticks_add
ticks_diff = clock.ticks_diff

_rtc_us = 0  # the board's clock is the timeline + this


# Called at boot and by machine.RTC.
def _set_rtc(rtc_us):
    global _rtc_us
    _rtc_us = rtc_us


def ticks_ms():
    return (clock.now_us() - clock.boot_us) // 1000 & _MASK


def ticks_us():
    return clock.now_us() - clock.boot_us & _MASK


# The cycle counter of a core at 160 MHz.
def ticks_cpu():
    return (clock.now_us() - clock.boot_us) * 160 & _MASK


def time_ns():
    return (clock.now_us() + _rtc_us) * 1000


def time():
    return (clock.now_us() + _rtc_us) // 1000000


def gmtime(secs=None):
    return _native.gmtime((time() if secs is None else int(secs)) + _EPOCH_S)[:8]


localtime = gmtime


def mktime(t):
    return _native.mktime((t[0], t[1], t[2], t[3], t[4], t[5], 0, 0, 0)) - _EPOCH_S


def sleep(secs):
    _sleep_us(int(real(secs) * 1000000))


def sleep_ms(ms):
    host_link.sleep(integer(ms))


def sleep_us(us):
    _sleep_us(integer(us))


def _sleep_us(us):
    if us >= 1000:
        host_link.sleep(us // 1000)
    if us > 0:
        clock.sleep_us(us % 1000)
