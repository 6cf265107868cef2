# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Keeps the device alive: runs its life, and starts it again after a defect.

import asyncio
import gc
import sys
import time

from micropython import const

from . import log
from .modules import borrow
from .pulse import Pulse, settle
from .room import keep

_WATCHDOG_MS = const(60000)
_AT_PROMPT_MS = const(600000)  # so that a copy over serial is not bitten
_BEFORE_RESET_S = const(10)
# Bytes of new objects between two collections, unless the owner has said how many. Else what stays
# comes to lie among what does not, all over the heap, and leaves no room in one piece.
_COLLECT = const(8192)


def run(app):
    dog = borrow("hardware", "watchdog", _WATCHDOG_MS)
    restart = borrow("hardware", "restarter")
    try:
        asyncio.run(_live(app, dog))
    except KeyboardInterrupt:
        log.info("muster", "stopped; Ctrl-D starts again")
    except Exception as e:  # noqa: BLE001 - the last catch-all: a defect must not strand a device
        try:
            _sweep()  # it may have been memory that was wanting: room to say so
            sys.print_exception(e)
            log.error("muster", "unexpected error, restarts in %d s" % _BEFORE_RESET_S)
            rtc = borrow("hardware", "rtc")
            borrow("restart recall schema", "blame", rtc.memory, type(e).__name__)
        finally:  # even if there is no memory left to say so
            _restart_later(restart)
    finally:
        try:
            _sweep()
        finally:
            borrow("hardware", "watchdog", _AT_PROMPT_MS)


# Lets all of the life that has ended go.
def _sweep():
    asyncio.new_event_loop()
    gc.collect()


def _restart_later(restart):
    try:
        time.sleep(_BEFORE_RESET_S)
    except KeyboardInterrupt:
        return
    restart()


# Runs the device without a watchdog, for an event loop of the owner's.
async def start(app):
    await _live(app, None)


async def _live(app, dog):
    if gc.threshold() < 0:
        gc.threshold(_COLLECT)
    pulse = Pulse()
    # Before the modules: MicroPython's heap grows at the cost of both.
    borrow("hardware", "open_radio")
    keep(3)
    life, beside = borrow("assembly hardware", "assemble", pulse)
    if life is None:
        return
    beside.append(settle(life.timeline, life.rest_ms))
    if dog:
        beside.append(pulse.feed(dog, life.timeline))
    tasks = [asyncio.create_task(coroutine) for coroutine in beside]
    try:
        await life.live(app)
    finally:
        for task in tasks:
            task.cancel()
