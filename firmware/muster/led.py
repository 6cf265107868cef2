# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What the LED says, one pattern a state of the device's life. docs/device-life.md lists them.

import asyncio

# Milliseconds on, off, on, off, …
PATTERNS = {
    "seek": (100, 100),
    "sync": (50, 50, 50, 850),
    "trial": (500, 500),
    "committed": (30, 2970),
    "failed": (100, 100, 100, 100, 100, 1500),
}


class LED:
    # pin takes a level; active is the level that lights it. Without a pin all is silent.
    def __init__(self, pin, active=1):
        self._pin = pin
        self._active = active
        self.state = "seek"

    def show(self, state):
        self.state = state

    async def blink(self):
        while True:
            level = self._active
            for ms in PATTERNS[self.state]:
                self._pin.value(level)
                level = 1 - level
                await asyncio.sleep_ms(ms)
