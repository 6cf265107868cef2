# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What the LED says, one pattern a state of the device's life. docs/device-life.md lists them.

import asyncio

from micropython import const

_PATIENCE_MS = const(10000)

# Milliseconds on, off, on, off, …
PATTERNS = {
    "seek": (100, 100),
    "sync": (50, 50, 50, 850),
    "trial": (500, 500),
    "setup": (900, 100),
    "committed": (30, 2970),
    "failed": (100, 100, 100, 100, 100, 1500),
}


class LED:
    # pin takes a level; active is the level that lights it. Without a pin all is silent.
    def __init__(self, pin, active=1):
        self._pin = pin
        self._active = active
        self.state = "seek"
        self._code: list | None = None
        self._times = 0

    def show(self, state):
        self.state = state

    # Blinks a code, e.g. a receipt, three times before the state is shown again.
    def announce(self, code):
        if self._pin is not None:
            self._code = code
            self._times = 3

    # Blinks the number of the step that failed, unless something is being said already.
    def failed(self, step):
        self.state = "failed"
        if not self._code:
            self.announce((250,) * (2 * step - 1) + (1500,))

    # Blinks for some seconds so that a person sees which board it is, whatever it does.
    def identify(self):
        if not self._code:
            self.announce((40,) * 40)  # three times over

    async def blink(self, pulse):
        while True:
            level = self._active
            code = self._code
            for ms in code or PATTERNS[self.state]:
                pulse.beat("led", _PATIENCE_MS)
                self._pin.value(level)
                level = 1 - level
                await asyncio.sleep_ms(ms)
            if code and code is self._code:  # else it has come while something else was shown
                self._times -= 1
                if not self._times:
                    self._code = None
