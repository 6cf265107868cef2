# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The board's timeline in microseconds, and waiting on it. On an ordinary board it is the host's
# monotonic clock; virtual_clock replaces the functions here.

import sys

from native import builtin

_native = builtin("time")
_asyncio = builtin("_asyncio")

PERIOD = 1 << 30  # ticks wrap there, as on every 32-bit port
boot_us = 0  # where ticks are zero
now_us = _native.ticks_us
sleep_us = _native.sleep_us


def now_ms():
    return now_us() // 1000


# Waits for one of a native poll's objects, at most ms (-1: for ever), perhaps less; returns what
# ipoll() does.
def wait(poll, ms):
    return poll.ipoll(ms)


# Lets other threads run, if there are any.
def pass_on():
    pass


# The program has used the network.
def touch():
    pass


# It has closed its last socket that has said something: nobody's answer is waited for.
def rest():
    pass


def ticks_add(ticks, delta):
    _check(delta)
    return ticks + delta & PERIOD - 1


def ticks_diff(end, start):
    return (end - start + PERIOD // 2 & PERIOD - 1) - PERIOD // 2


def _check(delta):
    if not -PERIOD // 2 < delta < PERIOD // 2:
        raise OverflowError("ticks interval overflow")


def _add_unwrapped(ticks, delta):
    _check(delta)
    return ticks + delta


# Stands in for the module of that name. asyncio's tasks in C read the interpreter's own clock; so
# the rest of asyncio gets it too, instead of the board's ticks, which count from elsewhere.
class Asyncio:
    def __getattr__(self, name):
        core = sys.modules.get("asyncio.core")
        if core:
            core.ticks = _native.ticks_ms
            core.ticks_diff = _native.ticks_diff
            core.ticks_add = _add_unwrapped
        return getattr(_asyncio, name)
