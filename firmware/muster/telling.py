# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The failures of one trial: which of them is told in the end, and how long to wait after each.
# Loaded by proving.py when there is one.

import asyncio
import time

from micropython import const

from . import log
from .backoff import Backoff
from .errors import DeviceError

_PIECE_MS = const(120000)
_LONGEST_MS = const(15000)  # between two tries: a trial is short
# The later in this list, the more it tells. A password counts as refused only if nothing else was
# said by who is there, because an access point that steers devices elsewhere refuses with the same
# words. Whatever is not named tells most.
_CODES = const(
    (
        "timeout",
        "wifi_no_ap",
        "wifi_auth",
        "wifi_timeout",
        "wifi_security",
        "dhcp_timeout",
        "platform_unreachable",
        "clock_unknown",
        "platform_tls",
    )
)
_AT_ONCE = const(("config_invalid", "storage_failed"))  # no network heals these


# Notes a failure, and waits before the next try. Raises as wait_ms. end: of the trial, in ticks.
async def wait(timeline, tries, error, end):
    step = error.step = error.step or timeline.step
    left_ms = wait_ms(tries, error, time.ticks_diff(end, time.ticks_ms()))
    while left_ms > 0:
        timeline.begin(step)  # the watchdog hears of it
        await asyncio.sleep_ms(min(left_ms, _PIECE_MS))
        left_ms -= _PIECE_MS


# Notes a failure, and returns how many ms to wait before the next try. Raises the failure itself
# if no other try can help, or not within left_ms. tries: a list that begins empty; then it holds
# the most telling failure, all codes, the number of failures and the back-off.
def wait_ms(tries, error, left_ms):
    if error.is_final or error.code in _AT_ONCE:
        raise error
    if not tries:
        tries.extend((error, [], 0, Backoff()))
    elif _rank(error) >= _rank(tries[0]):
        tries[0] = error
    if error.code not in tries[1]:
        tries[1].append(error.code)
    tries[2] += 1
    delay_ms = max(min(tries[3].next_ms(), _LONGEST_MS), (error.retry_s or 0) * 1000)
    if delay_ms >= left_ms:
        raise told(tries)
    log.warn("trial", "%d %s; again in %d ms" % (error.step, error, delay_ms))
    return delay_ms


# Returns the failure of a trial whose time is over.
def timed_out(tries, failsafe_s):
    if tries:
        return told(tries)
    return DeviceError("timeout", "the trial took longer than %d s" % failsafe_s)


# Returns the most telling failure, and in its detail what else there was.
def told(tries):
    error, codes, count, _ = tries
    others = [code for code in codes if code != error.code]
    text = "; %d tries" % count if count > 1 else ""
    if others:
        text += ", also " + ", ".join(others)
    error.detail += text
    return error


def _rank(error):
    return _CODES.index(error.code) if error.code in _CODES else len(_CODES)
