# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What is under way ends as soon as there is a reason. Loaded when needed.

import asyncio

from micropython import const

_LOOK_MS = const(50)


# What steps, a coroutine, returns or raises, unless reason() returns an exception meanwhile: then
# that is raised, and the steps have been cancelled.
async def interruptible(steps, reason):
    task = asyncio.create_task(_told([steps]))
    try:
        while not task.done():
            await asyncio.sleep_ms(_LOOK_MS)
            if not task.done():
                error = reason()
                if error:
                    raise error
        result, error = await task
        if error:
            raise error
        return result
    finally:
        await _ended(task)


# (What it returns, None) or (None, what it raised): a task that ends with an exception while
# nobody waits for it is taken for forgotten, and printed. steps: a list of one, which is emptied:
# asyncio's queue may hold a task for a while after its end, and with it whatever its frame names.
async def _told(steps):
    try:
        return await steps.pop(), None
    except Exception as e:  # noqa: BLE001 (raised again by who waits)
        return None, e


# What it holds, a socket or the radio, is free only once it has come to its end.
async def _ended(task):
    if task.done():
        return
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        pass
