# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Presses, on a pin that the test holds down.

import asyncio
import time

from muster.button import LONG, SHORT, Button


class Pin:
    def __init__(self, level=1):
        self.level = level

    def value(self):
        return self.level


# What the button makes of act, which may wait and hold the pin.
async def _press(act, pin=None):
    pin = pin or Pin()
    button = Button(pin)
    task = asyncio.create_task(button.watch())
    await asyncio.sleep_ms(50)
    await act(pin)
    await asyncio.sleep_ms(80)
    task.cancel()
    return button.take()


async def _hold(pin, ms):
    pin.level = 0
    await asyncio.sleep_ms(ms)
    pin.level = 1


async def test_a_press_is_short():
    assert await _press(lambda pin: _hold(pin, 100)) == SHORT


async def test_a_bounce_is_none():
    assert await _press(lambda pin: _hold(pin, 15)) is None


async def test_time_in_which_nobody_looked_does_not_make_a_press_longer():
    async def act(pin):
        pin.level = 0
        await asyncio.sleep_ms(60)
        time.sleep_ms(5500)  # a scan, or a name that does not resolve
        pin.level = 1

    assert await _press(act) == SHORT


async def test_what_is_held_at_power_on_is_no_press():
    pin = Pin(0)

    async def act(pin):
        await asyncio.sleep_ms(200)
        pin.level = 1

    assert await _press(act, pin) is None


async def test_five_seconds_are_a_long_press():
    assert await _press(lambda pin: _hold(pin, 5600)) == LONG


async def test_a_press_ends_a_pause():
    pin = Pin()
    button = Button(pin)
    task = asyncio.create_task(button.watch())
    began = time.ticks_ms()
    pause = asyncio.create_task(button.pause(10000))
    await asyncio.sleep_ms(40)
    await _hold(pin, 80)
    await pause
    task.cancel()
    assert time.ticks_diff(time.ticks_ms(), began) < 1000
    assert button.took_short() and not button.is_pressed()
