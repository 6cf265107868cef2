# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Overwrites the free space of the file system, where what was removed can still be found. Loaded
# by store.py when something secret has been.

import asyncio
import os
import time

from micropython import const

from . import log

_ENOSPC = const(28)  # which MicroPython's errno does not name
_FILL = const("/fill")
_CHUNK = const(512)  # between two turns of the others
_ROOM = const(16)  # blocks that are taken at once: the others need room too
# LittleFS gives out free blocks in a ring, and looks so many blocks ahead: of those it passes over
# the ones that were in use when it looked. So they get a second turn.
_AHEAD = const(256)


# Overwrites every block that was free when this began, in the folder of a Store. What is written
# is removed again, a piece at a time. A full minute on a chip that is 2 MiB and takes 45 ms to
# erase a block; as long again for the others. Returns how many blocks were written, which is how
# often blocks were erased: once or twice each. Raises OSError if the flash refuses.
async def overwrite(root):
    block, _, total, _, free = os.statvfs(root)[:5]
    # Blocks that an open file has and the folder does not know of may make it less than none.
    left = count = max(0, min(free, total)) + min(total, _AHEAD)
    chunk = bytes(_CHUNK)
    path = root + _FILL
    while left > 0:
        left -= await _fill(path, chunk, block, min(left, _room(root)))
    log.info("store", "overwrote %d free blocks" % count)
    return count


def _room(root):
    return max(1, min(_ROOM, os.statvfs(root)[4] // 2))


# Writes so many blocks and removes them. Returns how many it has come to if the flash is full.
async def _fill(path, chunk, block, blocks):
    written = 0
    try:
        with open(path, "wb") as f:
            while written < blocks:
                written += 1
                began = time.ticks_ms()
                for _ in range(0, block, _CHUNK):
                    f.write(chunk)
                    await asyncio.sleep_ms(0)
                # Flash is slow, and nothing else runs on the chip while it is written.
                await asyncio.sleep_ms(time.ticks_diff(time.ticks_ms(), began))
    except OSError as e:
        if e.errno != _ENOSPC:
            raise
    os.remove(path)
    return max(written, 1)
