# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The button: short press, 5 s, 15 s. Polled, because a pin interrupt on a bouncing contact costs
# more than fifty looks a second.

import asyncio
import time

from micropython import const

SHORT = const(1)  # seek now, or sync now
DOUBLE = const(2)  # twice: the setup network of its own
LONG = const(3)  # 5 s: onboard again
LONGEST = const(4)  # 15 s: factory reset
BUNDLE = const(5)  # no press, but it wakes whoever waits for one: a bundle has been brought

_POLL_MS = const(20)
_LOOK_MS = const(100)  # of whoever waits for a press
_PATIENCE_MS = const(10000)
_BOUNCE_MS = const(30)
_GAP_MS = const(250)  # the most that counts between two looks: a busy loop sees nothing in between
_LONG_MS = const(5000)
_LONGEST_MS = const(15000)
_SECOND_MS = const(400)  # a second press within this time makes it a double one


class Button:
    def __init__(self, pin, active, pulse):
        self._pin = pin
        self._active = active
        self._pulse = pulse
        self._kind = None
        self._bundle = False  # beside the presses, so that neither is lost
        self.count = 0  # of presses and bundles, whoever takes them

    # Hands a press out once, and then a bundle. Returns its kind, or None.
    def take(self):
        kind, self._kind = self._kind, None
        if kind is None and self._bundle:
            kind, self._bundle = BUNDLE, False
        return kind

    # Acts as if the button had been pressed so. A lesser press leaves one that waits to be taken.
    def tell(self, kind):
        if kind == BUNDLE:
            self._bundle = True
        else:
            self._kind = max(kind, self._kind or 0)
        self.count += 1

    # Takes a short press, if that is what there is.
    def took_short(self):
        return self._kind == SHORT and self.take() == SHORT

    # Tells whether a press waits to be taken.
    def is_pressed(self):
        return self._kind is not None or self._bundle

    # Tells whether a press waits that wants more than a sync, so that a trial may as well end.
    def wants_more(self):
        return self._kind == LONG or self._kind == LONGEST

    # Tells whether anything waits for which a search for a network had better end: a short press
    # asks for just that.
    def wants_else(self):
        return self._bundle or (self._kind or SHORT) > SHORT

    # Waits so long, or until the button has been pressed. The press stays to be taken.
    async def pause(self, ms):
        self._pulse.life(ms)
        end = time.ticks_add(time.ticks_ms(), ms)
        left_ms = 0  # whatever happened before: others have their turn
        while left_ms >= 0:
            # Looking costs less heap than an asyncio.Event and a task that waits for it.
            await asyncio.sleep_ms(min(left_ms, _LOOK_MS))
            if self.is_pressed():
                return
            left_ms = time.ticks_diff(end, time.ticks_ms()) or -1

    async def watch(self):
        # Held at power-on it is a strapping pin or a stuck contact, and no press.
        while self._is_down():
            await self._poll()
        while True:
            await self._poll()
            if self._is_down():
                await self._press()

    async def _press(self):
        held_ms = 0
        seen = time.ticks_ms()
        while self._is_down() and held_ms < _LONGEST_MS:
            await self._poll()
            now = time.ticks_ms()
            held_ms += min(time.ticks_diff(now, seen), _GAP_MS)
            seen = now
        if held_ms < _BOUNCE_MS:
            return
        if held_ms >= _LONGEST_MS:
            self.tell(LONGEST)
        elif held_ms >= _LONG_MS:
            self.tell(LONG)
        else:
            self.tell(DOUBLE if await self._comes_again() else SHORT)
        while self._is_down():
            await self._poll()

    async def _poll(self):
        self._pulse.beat("button", _PATIENCE_MS)
        await asyncio.sleep_ms(_POLL_MS)

    async def _comes_again(self):
        released = time.ticks_ms()
        while time.ticks_diff(time.ticks_ms(), released) < _SECOND_MS:
            await self._poll()
            if self._is_down():
                return True
        return False

    def _is_down(self):
        return self._pin.value() == self._active
