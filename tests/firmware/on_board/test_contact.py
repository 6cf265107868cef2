# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Under which key a device asks: the configuration's, and an adopted device's once nobody has
# answered for a day, whatever restarts lie in it. The label's is for a device that has never
# committed, or before adoption was.

import sys
import time

from runner import araises

from muster import contact, keys, modules, silence, sync
from muster.errors import DeviceError

_CONFIG = {
    "version": 1,
    "policy": {"sync_s": 86400},
    "config_server": {"url": "http://192.168.4.1:8421", "key": "a2V5", "adoption": "YWRvcHQ="},
}
_OLDER = dict(_CONFIG, config_server={"url": "http://192.168.4.1:8421", "key": "a2V5"})
_VERSION, _ADOPTED, _LABEL = ("1", "a2V5"), ("adopted", "YWRvcHQ="), ("label", "")
_HOUR_S = 3600


# In the place of the module time, for ticks alone.
class Ticks:
    now = 5
    ticks_add = staticmethod(time.ticks_add)
    ticks_diff = staticmethod(time.ticks_diff)

    def ticks_ms(self):
        return self.now

    def pass_ms(self, ms):
        self.now = time.ticks_add(self.now, ms)


class Clock:
    unix = 0

    def now(self):
        return self.unix

    def set(self, unix):
        self.unix = unix


class Journal:
    is_newest = True
    last = nonce = None
    saves = 0

    def __init__(self, silent_h=0):
        self.silent_h = silent_h

    def silent(self, hours):
        self.silent_h = hours
        self.saves += 1


class Timeline:
    def begin(self, step):
        pass

    def done(self, detail):
        pass


# In the place of exchange.py: answers, or does not, and notes which key it was to use.
class Exchange:
    def __init__(self):
        self.is_there = True
        self.action = "keep"
        self.keys = []

    async def exchange(self, server, identity, key, report, timeline, timeout_ms):
        assert server == ("192.168.4.1", 8421)
        self.keys.append(key)
        if not self.is_there:
            raise DeviceError("server_unreachable")
        return '{"v":1,"nonce":"n","time":2000000000,"action":"%s","retry_s":0}' % self.action


# In the place of hardware.py: what a report tells of the chip.
class Hardware:
    @staticmethod
    def chip():
        return "246f28aabbcc"

    @staticmethod
    def idf_heap():
        return [0, 0]


# In the place of the life: one that asks, and may start again.
class Asking:
    def __init__(self, config=_CONFIG):
        self._config = config

    def __enter__(self):
        self.ticks = silence.time = contact.time = Ticks()
        modules.keep("silence")
        self.exchange = Exchange()
        self.clock = Clock()
        self.journal = Journal()
        self.restart()
        return self

    def __exit__(self, *_):
        silence.time = contact.time = time
        modules.keep()

    # What flash has kept is all that is left.
    def restart(self):
        self.ticks.now = 7
        self.journal = Journal(self.journal.silent_h)
        self.contact = contact.Contact(None, self.clock, self.journal, Timeline())

    def pass_s(self, seconds):
        self.ticks.pass_ms(seconds * 1000)
        self.clock.unix += seconds

    async def ask(self, state="committed"):
        # `borrowed` would load it anew, with the true time.
        sys.modules["muster.sync"] = sys.modules["muster"].sync = sync
        sys.modules["muster.hardware"] = sys.modules["muster"].hardware = Hardware
        sys.modules["muster.exchange"] = sys.modules["muster"].exchange = self.exchange
        asking = self.contact.ask(self._config, state)
        return await (asking if self.exchange.is_there else araises(DeviceError, asking))


async def test_the_nonce_of_the_newest_answer_is_the_one_that_counts():
    with Asking() as device:
        device.journal.nonce = "older"
        await device.ask()
        assert device.journal.nonce == "n"


async def test_a_device_that_asks_once_a_day_is_not_ignored():
    with Asking() as asking:
        for _ in range(3):
            await asking.ask()
            asking.pass_s(24 * _HOUR_S + 60)
    assert asking.exchange.keys == [_VERSION] * 3
    assert asking.journal.saves == 0


async def test_a_clock_that_is_set_by_months_does_not_count():
    with Asking() as asking:
        asking.exchange.is_there = False
        await asking.ask()
        asking.contact.clock.set(90 * 86400)
        await asking.ask()
    assert asking.exchange.keys == [_VERSION] * 2


async def test_after_a_day_without_an_answer_an_adopted_device_asks_as_such_until_there_is_one():
    with Asking() as asking:
        asking.exchange.is_there = False
        for _ in range(5):
            await asking.ask()
            asking.pass_s(8 * _HOUR_S)
        await asking.ask("trial")  # a new version has a key of its own
        asking.exchange.is_there = True
        await asking.ask()
        await asking.ask()
    wanted = [_VERSION] * 3 + [_ADOPTED] * 2 + [_VERSION, _ADOPTED, _VERSION]
    assert asking.exchange.keys == wanted, asking.exchange.keys


async def test_a_day_without_an_answer_is_counted_across_restarts():
    with Asking() as asking:
        asking.exchange.is_there = False
        for _ in range(8):
            await asking.ask()
            for _ in range(4):
                asking.pass_s(_HOUR_S)
                await asking.ask()
            asking.restart()
    first = asking.exchange.keys.index(_ADOPTED)
    assert asking.exchange.keys[:first] == [_VERSION] * first
    assert 24 <= first <= 26, first  # five a life: an hour that has begun counts


async def test_a_machine_that_is_switched_off_every_night_comes_back_within_days():
    with Asking() as asking:
        asking.exchange.is_there = False
        for _ in range(3):  # nine hours a day, and then its clock starts at its floor again
            for _ in range(9 * 4):
                await asking.ask()
                asking.pass_s(_HOUR_S // 4)
            asking.restart()
            asking.clock.unix = 0
        keys = asking.exchange.keys
        assert keys[: 2 * 36] == [_VERSION] * 72 and keys[-1] == _ADOPTED, keys
        asking.exchange.is_there = True
        await asking.ask()
        asking.restart()
        await asking.ask()
        assert keys[-1] == _VERSION and asking.journal.silent_h == 0


async def test_a_machine_that_is_on_for_minutes_comes_back_too():
    with Asking() as asking:
        asking.exchange.is_there = False
        for _ in range(26):
            await asking.ask()
            asking.pass_s(_HOUR_S // 12)
            await asking.ask()
            asking.restart()
            asking.clock.unix = 0
        first = asking.exchange.keys.index(_ADOPTED)
        assert asking.exchange.keys[:first] == [_VERSION] * first and 48 <= first <= 50, first


async def test_a_day_counts_in_a_life_that_sleeps_lightly_or_is_kept_busy():
    with Asking() as asking:
        asking.exchange.is_there = False
        await asking.ask()
        asking.pass_s(23 * _HOUR_S)
        await asking.ask()
        asking.clock.unix = 0  # whatever becomes of the clock
        asking.pass_s(2 * _HOUR_S)
        await asking.ask()
    assert asking.exchange.keys == [_VERSION] * 2 + [_ADOPTED]


async def test_who_sleeps_asks_less_often_but_never_less_than_it_should():
    with Asking() as asking:
        asking.exchange.is_there = False
        asking.contact.is_short = True
        waits = []
        for _ in range(13):
            await asking.ask()
            waits.append(time.ticks_diff(asking.contact.next, asking.ticks.now) // 1000)
        assert waits[:3] == [60, 120, 240] and waits[-2:] == [86400, 86400], waits


async def test_a_silence_of_weeks_does_not_wear_the_flash_out():
    with Asking() as asking:
        asking.exchange.is_there = False
        for _ in range(4 * 24 * 40):
            await asking.ask()
            asking.pass_s(900)
        assert asking.journal.saves == 25, asking.journal.saves
        asking.restart()
        await asking.ask()
        assert asking.journal.saves == 0 and asking.exchange.keys[-1] == _ADOPTED


async def test_an_adopted_device_that_shall_come_again_comes_as_such():
    with Asking() as asking:
        asking.exchange.is_there = False
        await asking.ask()
        asking.pass_s(25 * _HOUR_S)
        asking.exchange.is_there = True
        asking.exchange.action = "wait"
        await asking.ask()
        await asking.ask()
        asking.exchange.action = "keep"
        await asking.ask()
        await asking.ask()
    assert asking.exchange.keys == [_VERSION] + [_ADOPTED] * 3 + [_VERSION]


async def test_a_week_without_a_network_is_a_day_too():
    with Asking() as asking:
        asking.exchange.is_there = False
        await asking.ask()
        for _ in range(7):
            asking.pass_s(24 * _HOUR_S)
        await asking.ask()
    assert asking.exchange.keys == [_VERSION, _ADOPTED]


async def test_an_adopted_device_obeys_forget_as_under_its_version():
    with Asking() as asking:
        asking.exchange.is_there = False
        await asking.ask()
        asking.pass_s(25 * _HOUR_S)
        asking.exchange.is_there = True
        asking.exchange.action = "forget"
        assert (await asking.ask()).action == "forget"
    assert asking.exchange.keys == [_VERSION, _ADOPTED]


async def test_who_has_only_the_label_may_not_take_a_device_away():
    with Asking(_OLDER) as asking:
        asking.exchange.is_there = False
        await asking.ask()
        asking.pass_s(25 * _HOUR_S)
        asking.exchange.is_there = True
        asking.exchange.action = "forget"
        assert (await asking.ask()).action == "keep"
        assert (await asking.ask()).action == "forget"
    assert asking.exchange.keys == [_VERSION, _LABEL, _VERSION]


def test_only_a_device_that_was_never_adopted_seeks_with_the_label():
    assert keys.key_of(None, True) == _LABEL
    assert keys.key_of(_OLDER, True) == _LABEL
    assert keys.key_of(_CONFIG, True) == _ADOPTED
    assert keys.key_of(_CONFIG, False) == _VERSION
