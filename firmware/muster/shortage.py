# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# No memory for TLS, again and again: what has taken it never gives it back, and a restart does.
# Loaded when there was none.

from micropython import const

from . import log, room
from .errors import DeviceError
from .modules import borrow
from .room import WANT
from .timeline import REGISTER, SHORTAGES

_IN_A_ROW = const(3)  # before the first restart; before each further one twice as many
_DOUBLINGS = const(6)


# Restarts the board if there was none once too often. operation: operation.py's, or None in a
# trial, whose end is in flash already. The count of restarts is in RTC memory.
async def heed(life, operation):
    restarts = life.timeline.record[SHORTAGES]
    if room.shortages < _IN_A_ROW << min(restarts, _DOUBLINGS):
        return
    life.timeline.put(SHORTAGES, bytes((min(restarts + 1, 255),)))
    error = DeviceError("platform_tls", "%s %d times in a row: restarts" % (WANT, room.shortages))
    error.step = REGISTER
    log.error("tls", error)
    try:
        if operation:
            life.timeline.failed(error)
            life.journal.failed(operation.config["version"], error)
            life.journal.save()
            await operation.stop()
    except (DeviceError, RuntimeError) as e:  # the restart ends an application that goes on
        log.error("tls", e)
    borrow("hardware", "restarter")()


# Ends the count of restarts: the device has registered.
def end(life):
    if life.timeline.record[SHORTAGES]:
        life.timeline.put(SHORTAGES, b"\0")
