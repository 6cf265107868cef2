# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Lives that end by themselves: how early, who is to blame, and what the next one makes of it.

import asyncio
import sys
import time

from lives import Memory, begin

from muster import pulse, restart
from muster.backoff import SecondTry
from muster.start import run
from muster.timeline import EARLY, JOIN, WHO

start = sys.modules["muster.start"]  # in the package the name is also a function


# The board as start.py sees it: asked for hardware by name. blame: in the place of restart.py's.
class Hardware:
    def __init__(self, memory, blame=None):
        self.memory = memory
        self.blame = blame
        self.asked = []

    # As modules.borrow.
    def __call__(self, module, name, *arguments):
        if name == "blame":
            return (self.blame or restart.blame)(*arguments)
        assert module == "hardware"
        self.asked.append(name)
        return self


class Journal:
    failures = 1
    failed_version = 7


class Dog:
    fed = 0

    def feed(self):
        self.fed += 1


# Runs act; whoever sleeps in the meantime calls `paused` instead.
async def _with_pauses(paused, act):
    sleep_ms = asyncio.sleep_ms
    asyncio.sleep_ms = paused
    try:
        await act
    finally:
        asyncio.sleep_ms = sleep_ms


def _end_by_defect(hardware):
    real = start.borrow, start._live, start._restart_later

    async def _live(app, dog):
        raise ValueError("a defect")

    start.borrow = hardware
    start._live = _live
    start._restart_later = lambda restart: hardware.asked.append("reset")  # which rests before
    try:
        run(None)
    finally:
        start.borrow, start._live, start._restart_later = real


def test_a_defect_keeps_the_record_of_the_life_that_it_ends():
    memory = Memory()
    begin(None, "watchdog", memory)
    timeline, _, _ = begin(None, "watchdog", memory)
    timeline.begin(JOIN)
    early = timeline.record[EARLY]
    _end_by_defect(Hardware(memory))
    timeline, _, former = begin(None, "hard", memory)
    error = former.failure(True, True)
    assert early == 2 and timeline.record[EARLY] == 3  # once for each life
    assert error.step == JOIN and error.code == "watchdog" and "ValueError" in error.detail


def test_a_defect_before_there_is_a_record_is_told_too():
    memory = Memory()
    _end_by_defect(Hardware(memory))
    error = begin(None, "hard", memory)[2].failure(False, False)
    assert "ValueError" in error.detail


def test_a_defect_restarts_the_board_even_if_it_cannot_be_told():
    def blame(memory, who):
        raise MemoryError

    hardware = Hardware(Memory(), blame)
    try:
        _end_by_defect(hardware)
    except MemoryError:
        pass
    assert "reset" in hardware.asked


def test_a_defect_restarts_the_board_even_if_nothing_can_be_swept_away():
    def sweep():
        raise MemoryError

    hardware = Hardware(Memory())
    real, start._sweep = start._sweep, sweep
    try:
        _end_by_defect(hardware)
    except MemoryError:
        pass
    finally:
        start._sweep = real
    assert "reset" in hardware.asked
    assert hardware.asked[-1] == "watchdog"  # somebody may copy something now


async def test_a_life_has_settled_a_minute_after_its_rest():
    timeline = begin(None, "watchdog")[0]
    waited = []

    async def paused(ms):
        waited.append(ms)
        assert timeline.record[EARLY] == 1

    await _with_pauses(paused, pulse.settle(timeline, 80000))
    assert waited == [140000] and timeline.record[EARLY] == 0


class _Life:
    rest_ms = 5

    def __init__(self, timeline):
        self.timeline = timeline

    async def live(self, app):
        for _ in range(3):
            await asyncio.sleep(0)


async def test_a_life_without_a_watchdog_settles_too():
    life = _Life(begin(None, "watchdog")[0])
    waited = []

    async def paused(ms):
        waited.append(ms)

    borrow = start.borrow
    start.borrow = lambda names, function, *arguments: (life, [])
    try:
        await _with_pauses(paused, start.start(None))
    finally:
        start.borrow = borrow
    assert waited == [60005] and life.timeline.record[EARLY] == 0


async def test_who_is_heard_of_again_is_not_blamed():
    timeline = begin(None, "power_on")[0]
    beats = pulse.Pulse()
    dog = Dog()
    seen = []

    async def paused(ms):
        seen.append((timeline.record[WHO : WHO + 3], dog.fed))
        if len(seen) == 4:
            raise StopAsyncIteration
        beats.beat("led", -1 if len(seen) == 2 else 1000)

    beats.beat("led", -1)
    try:
        await _with_pauses(paused, beats.feed(dog, timeline))
    except StopAsyncIteration:
        pass
    assert seen == [(b"led", 0), (b"\0\0\0", 1), (b"led", 1), (b"\0\0\0", 2)]


def test_a_wait_that_is_over_does_not_return_when_ticks_wrap():
    again = SecondTry(Journal())
    assert 0 < again.due_in_ms(7) <= 1250
    again._at = time.ticks_add(time.ticks_ms(), 374000)
    assert 373000 < again.due_in_ms(7) <= 374000
    again._at = time.ticks_add(time.ticks_ms(), 535000000)  # as one of six days ago appears
    assert again.due_in_ms(7) == 0
