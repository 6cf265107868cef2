# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The timeline of a board with virtual time: read from a page shared with the supervisor. A wait
# in which nothing can happen is skipped; as far as the supervisor's next timer the program does
# that alone, beyond it the supervisor goes along.

from array import array

import clock
import host_link
from micropython import const
from native import builtin

_native = builtin("time")
_host_us = _native.ticks_us
_host_ms = _native.ticks_ms

_FD = const(7)
_SKIPPED_AT = const(128)
_EDITION = const(0)
_HOST = const(1)
_BOARD = const(2)
_NUMERATOR = const(3)
_DENOMINATOR = const(4)
_SKIPS = const(5)
_GRACE_MS = const(6)
_SHORTEST = const(7)
_HORIZON = const(8)
_EDITION_AGAIN = const(9)

_file = open(_FD, "r+b")  # noqa: SIM115 (open as long as the board runs)
_page = array("q", [0] * 10)
_skipped = array("q", [0])
_file.seek(_SKIPPED_AT)
_file.readinto(_skipped)
_active_until = 0  # of the host's milliseconds


def now_us():
    while True:
        _file.seek(0)
        _file.readinto(_page)
        if _page[_EDITION] == _page[_EDITION_AGAIN]:
            break
    passed = (_host_us() - _page[_HOST]) * _page[_NUMERATOR] // _page[_DENOMINATOR]
    return _page[_BOARD] + passed + _skipped[0]


def _real_ms(ms):
    return (ms * _page[_DENOMINATOR] + _page[_NUMERATOR] - 1) // _page[_NUMERATOR]


def touch():
    global _active_until
    _active_until = _host_ms() + _page[_GRACE_MS]


def rest():
    global _active_until
    _active_until = _host_ms()


def wait(poll, ms):
    now = now_us()
    if not _page[_SKIPS] or ms == 0:
        return poll.ipoll(_real_ms(ms) if ms > 0 else ms)
    grace = _active_until - _host_ms()
    if grace > 0:
        return poll.ipoll(min(grace, _real_ms(ms)) if ms > 0 else grace)
    for _ in poll.ipoll(0):
        return poll.ipoll(0)
    if ms < 0:
        return poll.ipoll(0 if host_link.request("leap", None) else -1)
    target = now + max(ms * 1000, _page[_SHORTEST])
    if target < _page[_HORIZON]:
        _skipped[0] += target - now_us()
        _file.seek(_SKIPPED_AT)
        _file.write(_skipped)
    else:
        host_link.request("leap", target)
    return poll.ipoll(0)


def sleep_us(us):
    now_us()
    _native.sleep_us(us * _page[_DENOMINATOR] // _page[_NUMERATOR])


clock.now_us = now_us
clock.wait = wait
clock.touch = touch
clock.rest = rest
clock.sleep_us = sleep_us
