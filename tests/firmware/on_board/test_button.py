# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Presses, on a pin that the test holds down.

import asyncio
import time

from virtual_time import VirtualTime

from muster import button as button_module
from muster.button import BUNDLE, DOUBLE, LONG, LONGEST, SHORT, Button
from muster.pulse import Pulse


class Pin:
    def __init__(self, level=1):
        self.level = level

    def value(self):
        return self.level


# What the button makes of act, which may wait and hold the pin.
async def _press(act, pin=None):
    pin = pin or Pin()
    button = Button(pin, 0, Pulse())
    with VirtualTime(button_module) as clock:
        pin.clock = clock
        task = asyncio.create_task(button.watch())
        await asyncio.sleep_ms(50)
        await act(pin)
        await asyncio.sleep_ms(600)  # a second press might come
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
        pin.clock.sleep_ms(5500)  # a scan, or a name that does not resolve
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


async def test_two_presses_are_a_double_one():
    async def act(pin):
        await _hold(pin, 100)
        await asyncio.sleep_ms(150)
        await _hold(pin, 100)

    assert await _press(act) == DOUBLE


async def test_two_presses_far_apart_are_none():
    async def act(pin):
        await _hold(pin, 100)
        await asyncio.sleep_ms(700)
        await _hold(pin, 100)

    assert await _press(act) == SHORT


async def test_who_brings_a_bundle_ends_a_pause_too():
    button = Button(None, 0, Pulse())
    pause = asyncio.create_task(button.pause(10000))
    await asyncio.sleep_ms(0)
    button.tell(BUNDLE)
    await pause
    assert button.is_pressed() and not button.took_short() and button.take() == BUNDLE


def test_neither_a_press_nor_a_bundle_is_lost_beside_the_other():
    for first, second in ((BUNDLE, LONGEST), (LONGEST, BUNDLE)):
        button = Button(None, 0, Pulse())
        button.tell(first)
        button.tell(second)
        assert button.wants_more() and not button.took_short()
        assert [button.take() for _ in range(3)] == [LONGEST, BUNDLE, None]
        assert not button.is_pressed()


async def test_a_bundle_still_ends_a_pause_after_the_press_beside_it():
    button = Button(None, 0, Pulse())
    button.tell(BUNDLE)
    button.tell(SHORT)
    assert button.took_short()
    await asyncio.wait_for_ms(button.pause(10000), 1000)
    assert button.take() == BUNDLE


def test_a_lesser_press_does_not_lower_one_that_waits():
    for lesser in (SHORT, DOUBLE, LONG):
        button = Button(None, 0, Pulse())
        button.tell(LONGEST)
        button.tell(lesser)
        assert button.take() == LONGEST


def test_a_press_that_another_has_taken_is_counted_all_the_same():
    button = Button(None, 0, Pulse())
    button.tell(SHORT)
    assert button.took_short() and not button.is_pressed()
    assert button.count == 1


async def test_a_press_ends_a_pause():
    pin = Pin()
    button = Button(pin, 0, Pulse())
    task = asyncio.create_task(button.watch())
    began = time.ticks_ms()
    pause = asyncio.create_task(button.pause(10000))
    await asyncio.sleep_ms(40)
    await _hold(pin, 80)
    await pause
    task.cancel()
    assert time.ticks_diff(time.ticks_ms(), began) < 1000
    assert button.took_short() and not button.is_pressed()
