# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What is under way ends as soon as there is a reason. Loaded when needed.

import asyncio

from micropython import const

_LOOK_MS = const(50)


# Runs steps, a coroutine, and returns or raises what it does, unless reason() returns an exception
# meanwhile: then cancels the steps and raises that.
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


# Cancels a task and waits for its end: what it holds, a socket or the radio, is free only then.
async def _ended(task):
    if task.done():
        return
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        pass
