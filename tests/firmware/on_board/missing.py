# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What the 32-bit interpreter lacks: an event loop that is not JavaScript's, and os.urandom. The
# loop runs one coroutine to its end and counts how often it yields.

import os
import random
import sys


class _Loop:
    yields = 0

    def sleep_ms(self, ms):
        self.yields += 1
        yield

    def run(self, coroutine):
        try:
            while True:
                coroutine.send(None)
        except StopIteration as e:
            return e.value

    def new_event_loop(self):
        pass


sys.modules["asyncio"] = _Loop()
if not hasattr(os, "urandom"):
    os.urandom = lambda size: bytes(random.getrandbits(8) for _ in range(size))
