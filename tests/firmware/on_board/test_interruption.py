# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What is under way ends for a reason, and has ended then; a trial has the time that the device
# grants it, whatever its configuration says.

import asyncio
import time

from runner import araises

from muster import proving
from muster.button import BUNDLE, DOUBLE, LONG, LONGEST, SHORT, Button
from muster.errors import DeviceError, Interrupted
from muster.interruption import interruptible
from muster.pulse import Pulse


async def test_what_ends_by_itself_returns_or_raises_as_ever():
    async def works():
        await asyncio.sleep_ms(0)
        return 7

    async def fails():
        raise DeviceError("wifi_auth")

    assert await interruptible(works(), lambda: None) == 7
    assert (await araises(DeviceError, interruptible(fails(), lambda: None))).code == "wifi_auth"


async def test_what_is_interrupted_has_come_to_its_end():
    ended = []

    async def steps():
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep_ms(1)
            ended.append(True)

    await araises(Interrupted, interruptible(steps(), Interrupted))
    assert ended == [True]


def test_a_short_press_is_no_reason_to_end_a_search_and_others_are():
    for kind, ends_search, ends_trial in (
        (None, False, False),
        (SHORT, False, False),
        (DOUBLE, True, False),
        (LONG, True, True),
        (LONGEST, True, True),
        (BUNDLE, True, False),
    ):
        button = Button(None, 0, Pulse())
        if kind:
            button.tell(kind)
        assert bool(button.wants_else()) == ends_search, kind
        assert bool(button.wants_more()) == ends_trial, kind


# In the place of the module time, for ticks alone: twenty seconds pass at each look.
class Ticks:
    now = 0
    ticks_add = staticmethod(time.ticks_add)
    ticks_diff = staticmethod(time.ticks_diff)

    def ticks_ms(self):
        self.now += 20000
        return self.now


class Life:
    button = Button(None, 0, Pulse())


# How long a trial that comes to no end is granted, in seconds.
async def _granted_s(failsafe_s):
    async def stalls(life, config, is_second, tries, end):
        await asyncio.sleep(600)

    proves, proving._prove = proving._prove, stalls
    proving.time = Ticks()
    try:
        config = {"policy": {"failsafe_s": failsafe_s}}
        error = await araises(DeviceError, proving.prove(Life, config, False))
        assert error.code == "timeout"
        return proving.time.now // 1000 - 20
    finally:
        proving._prove, proving.time = proves, time


async def test_a_trial_is_granted_a_minute_at_least_and_a_quarter_of_an_hour_at_most():
    for failsafe_s, granted_s in ((1, 60), (60, 60), (120, 120), (10**6, 900)):
        assert await _granted_s(failsafe_s) == granted_s
