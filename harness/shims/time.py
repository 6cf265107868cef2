# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# time with the ESP32's epoch (2000-01-01) and the board's own clock, which starts there at
# power-on and is kept over resets by the supervisor.

import supervisor
from native import builtin

_native = builtin("time")
_EPOCH_S = 946684800  # 2000-01-01 in Unix time

ticks_ms = _native.ticks_ms
ticks_us = _native.ticks_us
ticks_cpu = _native.ticks_cpu
ticks_add = _native.ticks_add
ticks_diff = _native.ticks_diff

_offset_ns = 0  # board clock = host clock + offset


# Called at boot and by machine.RTC.
def _set_offset_us(offset_us):
    global _offset_ns
    _offset_ns = offset_us * 1000


def time_ns():
    return _native.time_ns() + _offset_ns


def time():
    return time_ns() // 1000000000


def gmtime(secs=None):
    return _native.gmtime((time() if secs is None else int(secs)) + _EPOCH_S)[:8]


localtime = gmtime


def mktime(t):
    return _native.mktime((t[0], t[1], t[2], t[3], t[4], t[5], 0, 0, 0)) - _EPOCH_S


def sleep(secs):
    sleep_us(int(secs * 1000000))


def sleep_ms(ms):
    supervisor.sleep(ms)


def sleep_us(us):
    if us >= 1000:
        supervisor.sleep(us // 1000)
    if us > 0:
        _native.sleep_us(us % 1000)
