# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What people see of the LED.

import asyncio

from virtual_time import VirtualTime

from muster.led import LED
from muster.pulse import Pulse


# Counts how often it is lit.
class Pin:
    def __init__(self):
        self.count = 0

    def value(self, level):
        self.count += level


async def test_the_led_shows_the_receipt_three_times_whatever_it_shows_before():
    pin = Pin()
    led = LED(pin)
    with VirtualTime():
        task = asyncio.create_task(led.blink(Pulse()))
        await asyncio.sleep_ms(450)  # in the middle of a state's pattern
        led.announce([100, 100] * 10)
        led.show("failed")  # what is shown after it
        before = pin.count
        await asyncio.sleep_ms(150)
        while led._code:
            await asyncio.sleep_ms(10)
        task.cancel()
    assert 30 <= pin.count - before <= 31, pin.count - before
