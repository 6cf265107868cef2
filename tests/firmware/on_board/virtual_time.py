# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Time that passes at once when all have fallen asleep, so that a test need not wait for what it
# counts. Nothing but sleep may be waited for meanwhile: no socket, no console.

import time
from asyncio import core


# with VirtualTime(module, …): asyncio and these modules' `time` go by it.
class VirtualTime:
    ticks_add = staticmethod(time.ticks_add)
    ticks_diff = staticmethod(time.ticks_diff)
    map: dict = {}  # as IOQueue's: nobody waits for a stream, so the loop ends if none sleeps

    def __init__(self, *modules):
        self._modules = modules
        self._skipped_ms = 0

    def __enter__(self):
        self._genuine = core.ticks, core._io_queue
        core.ticks = self.ticks_ms
        core._io_queue = self
        for module in self._modules:
            module.time = self
        return self

    def __exit__(self, *_):
        core.ticks, core._io_queue = self._genuine
        for module in self._modules:
            module.time = time

    # On top of the true ones: what wakes a task at once stamps it with those.
    def ticks_ms(self):
        return time.ticks_add(time.ticks_ms(), self._skipped_ms)

    # A pause in which nobody else has a turn.
    def sleep_ms(self, ms):
        self._skipped_ms += ms

    # The event loop waits for a stream, or so long.
    def wait_io_event(self, ms):
        assert ms >= 0, "nobody would ever wake"
        self._skipped_ms += ms
