# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# How a device falls asleep when its application asks for it. Loaded for that moment.

import asyncio
import time

from micropython import const

from . import log
from .modules import borrow

_LONGEST_S = const(2000000)  # 23 days: milliseconds of the port's timer have 31 bits
_PATIENCE_MS = const(960000)  # a trial may take 15 minutes
_LOOK_MS = const(50)
# Of light sleep, in which nothing runs: below what the tasks have promised, and the watchdog.
_SLICE_MS = const(5000)
_AWAKE_MS = const(30)


# Ends what is under way, then sleeps so long. Returns only on a board that cannot sleep deeply.
# life: lifecycle.py's. Raises ValueError if nobody can sleep so long.
async def sleep(session, life, seconds):
    if not 0 < seconds <= _LONGEST_S:
        raise ValueError("sleep: more than 0 s and at most %d s wanted" % _LONGEST_S)
    await _finished(session, life)
    log.info("app", "sleeps for %s s" % seconds)
    session.is_asleep = True
    try:
        life.wifi.stop()
        if life.config:
            lease = session.platform.lease
            borrow("waking silence", "remember", life, life.config, lease)
        ms = int(seconds * 1000) or 1
        borrow("hardware", "deep_sleep", ms)
        log.info("app", "this board cannot sleep deeply now: lightly")
        while ms > 0:
            borrow("hardware", "light_sleep", min(ms, _SLICE_MS))
            await asyncio.sleep_ms(_AWAKE_MS)
            ms -= _SLICE_MS + _AWAKE_MS
    finally:
        session.is_asleep = False


# Returns once nothing is under way that a sleep would cut: a reading, a trial, a sync, and one
# that is due while there is a connection.
async def _finished(session, life):
    began = time.ticks_ms()
    while _is_busy(session, life):
        if time.ticks_diff(time.ticks_ms(), began) > _PATIENCE_MS:
            log.warn("app", "sleeps although something is under way")
            return
        await asyncio.sleep_ms(_LOOK_MS)


def _is_busy(session, life):
    contact = life.contact
    platform = session.platform
    if session.waiting or (platform.lock.locked() and not platform.is_listening):
        return True
    is_online = session.online.is_set()
    if contact.is_asking or life.journal.trial or (is_online and contact.is_due()):
        return True
    return life.operation is not None and life.operation.is_obeying
