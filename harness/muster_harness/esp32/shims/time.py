# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# time with the ESP32's epoch (2000-01-01), ticks since the chip has started, and the board's own
# clock, which begins in 2000 at power-on and is kept over resets by the supervisor.

import clock
import host_link
from arguments import integer, items, real
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


# A program that looks at the clock until a callback has run has to see it run. The callbacks of a
# board run between any two instructions; one that is running is not interrupted by another.
def _glance():
    if not host_link.is_delivering:
        host_link.refresh()
        host_link.deliver()


def ticks_ms():
    _glance()
    return (clock.now_us() - clock.boot_us) // 1000 & _MASK


def ticks_us():
    _glance()
    return clock.now_us() - clock.boot_us & _MASK


# The cycle counter of a core at 160 MHz.
def ticks_cpu():
    return (clock.now_us() - clock.boot_us) * 160 & _MASK


def time_ns():
    return (clock.now_us() + _rtc_us) * 1000


def time():
    _glance()
    return (clock.now_us() + _rtc_us) // 1000000


def gmtime(secs=None):
    # range() takes what mp_obj_get_ll() takes: whole numbers, of more than a word too
    return _native.gmtime((time() if secs is None else range(secs).stop) + _EPOCH_S)[:8]


localtime = gmtime


def mktime(t):
    if not 8 <= len(items(t)) <= 9:
        raise TypeError("mktime needs a tuple of length 8 or 9")
    return _native.mktime(tuple(map(integer, t[:6])) + (0, 0, 0)) - _EPOCH_S


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
