# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What comes back to port 123, and what the clock makes of it.

import time

from mutation import chance, changed_bytes, some

from muster.clock import Clock
from muster.ntp import guess, parse

ROOM = 16 << 10
_COOKIE = b"12345678"
_NOW = 1795400000 + 2208988800
_GOOD = b"\x24\x02" + bytes(22) + _COOKIE + bytes(8) + _NOW.to_bytes(4, "big") + bytes(4)
SEEDS = [_GOOD, b"\x24\x01" + _GOOD[2:40] + bytes(8), b"\xe4\x02" + _GOOD[2:], _GOOD + bytes(20)]
_WORDS = [_COOKIE, b"\xff" * 8, b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"\x24\x02"]


def make(corpus):
    data = changed_bytes(some(corpus), some(corpus), _WORDS)
    return data[:24] + _COOKIE + data[32:48] if chance(2) else data[:48]


def play(data):
    seconds = parse(data, _COOKIE)
    if seconds is None:
        return None
    # From 1968, where the first era's upper half begins, to 2104.
    if not -(1 << 27) < seconds < 1 << 33:
        return "a time beyond reach: %d" % seconds
    clock = Clock(lambda date: None, 1795000000, 0, lambda floor: None)
    guess(clock, seconds)
    if clock.floor != 1795000000:
        return "a stranger has made a floor"
    return None if time.gmtime(0) else "no time"
