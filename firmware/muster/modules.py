# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Heap is what a device has least of: a module that only one step needs is let go after it, and the
# next import loads it again. That costs some 50 ms of flash reading an ESP32 can spare.

import asyncio
import gc
import sys

_kept: list[str] = []  # what a device at work keeps loaded: a second copy would cost as much again


# Lets the named modules of this package go, so that the collector may take their code. Whoever
# still holds a class or a function of theirs keeps the module alive, which is safe and merely
# costs heap.
def release(*names):
    package = sys.modules["muster"]
    for name in names:
        if name in _kept:
            continue
        sys.modules.pop("muster." + name, None)
        if hasattr(package, name):
            delattr(package, name)
    # What is loaded next then lies close to the rest, and no crumbs of it between free blocks.
    gc.collect()


# Calls a function in a module that is loaded for it and then let go again. names: the module, and
# those that it loads for itself, e.g. "receipt bundle hkdf". All in quotes: make check binds each
# call to its definition (tests/firmware/borrowed_calls.py).
def borrow(names, function, *arguments):
    try:
        return _find(names, function)(*arguments)
    finally:
        release(*names.split())


# Does the same for a coroutine function. Loading takes a while, after which others have their
# turn. A caller with nothing to add returns this instead of awaiting it: a coroutine that only
# waits for another costs some 200 bytes.
async def borrowed(names, function, *arguments):
    try:
        found = _find(names, function)
        await asyncio.sleep_ms(0)
        return await found(*arguments)
    finally:
        release(*names.split())


def _find(names, function):
    name = "muster." + names.split()[0]
    __import__(name)
    return getattr(sys.modules[name], function)


# Names the modules that release() passes over from now on.
def keep(*names):
    _kept[:] = names
