# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Notices that somebody says something on the console; console.py, which understands it, is loaded
# only then.

import asyncio
import select
import sys

from micropython import const

from . import log
from .modules import borrowed

_LOOK_MS = const(250)
_PATIENCE_MS = const(60000)


# parts: what console.converse needs of the device.
async def listen(pulse, *parts):
    heard = select.poll()
    heard.register(sys.stdin, select.POLLIN)
    while True:
        pulse.beat("console", _PATIENCE_MS)
        await asyncio.sleep_ms(_LOOK_MS)
        if not heard.poll(0):
            continue
        try:
            await borrowed("console delivery inbox", "converse", heard, pulse, *parts)
        except MemoryError:
            log.warn("console", "no memory to listen")
