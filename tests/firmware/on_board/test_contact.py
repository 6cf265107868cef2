# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Under which key a device asks, and when: the configuration's, and the label's only once nobody
# has answered for a day, whatever restarts lie in it.

import sys
import time

from runner import araises

from muster import contact, modules, silence
from muster.errors import DeviceError

_CONFIG = {
    "version": 1,
    "policy": {"sync_s": 86400},
    "config_server": {"url": "http://192.168.4.1:8421"},
}
_HOUR_MS = 3600000


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

    async def exchange(self, server, identity, config, report, timeline, timeout_ms):
        assert server == ("192.168.4.1", 8421)
        self.keys.append("version" if config else "label")
        if not self.is_there:
            raise DeviceError("server_unreachable")
        return '{"v":1,"nonce":"n","time":2000000000,"action":"%s","retry_s":0}' % self.action


# Counts what is written.
class Store:
    def __init__(self):
        self.records = {}
        self.writes = 0

    def load(self, name):
        return self.records.get(name)

    def save(self, name, value):
        self.writes += 1
        self.records[name] = value


class Asking:
    def __enter__(self):
        self.ticks = contact.time = silence.time = Ticks()
        modules.keep("silence")
        self.exchange = Exchange()
        self.store = Store()
        self.start()
        return self

    # Another life.
    def start(self):
        self.contact = contact.Contact(None, Clock(), Journal(), Timeline(), self.store)

    def __exit__(self, *_):
        contact.time = silence.time = time
        modules.keep()

    async def ask(self, state="committed"):
        sys.modules["muster.exchange"] = sys.modules["muster"].exchange = self.exchange
        asking = self.contact.ask(_CONFIG, state)
        return await (asking if self.exchange.is_there else araises(DeviceError, asking))


async def test_a_device_that_asks_once_a_day_is_not_ignored():
    with Asking() as asking:
        for _ in range(3):
            await asking.ask()
            asking.ticks.pass_ms(24 * _HOUR_MS + 60000)
    assert asking.exchange.keys == ["version"] * 3


async def test_a_clock_that_is_set_by_months_does_not_count():
    with Asking() as asking:
        asking.exchange.is_there = False
        await asking.ask()
        asking.contact.clock.set(90 * 86400)
        await asking.ask()
    assert asking.exchange.keys == ["version"] * 2


async def test_after_a_day_without_an_answer_the_labels_key_is_used_until_there_is_one():
    with Asking() as asking:
        asking.exchange.is_there = False
        for _ in range(5):
            await asking.ask()
            asking.ticks.pass_ms(8 * _HOUR_MS)
        await asking.ask("trial")  # a new version has a key of its own
        asking.exchange.is_there = True
        await asking.ask()
        await asking.ask()
    wanted = ["version"] * 4 + ["label", "version", "label", "version"]
    assert asking.exchange.keys == wanted, asking.exchange.keys


async def test_a_week_without_a_network_is_a_day_too():
    with Asking() as asking:
        asking.exchange.is_there = False
        await asking.ask()
        for _ in range(7):
            asking.ticks.pass_ms(24 * _HOUR_MS)
        await asking.ask()
    assert asking.exchange.keys == ["version", "label"]


async def test_who_has_only_the_label_may_not_take_a_device_away():
    with Asking() as asking:
        asking.exchange.is_there = False
        await asking.ask()
        asking.ticks.pass_ms(25 * _HOUR_MS)
        asking.exchange.is_there = True
        asking.exchange.action = "forget"
        assert (await asking.ask()).action == "keep"
        assert (await asking.ask()).action == "forget"
    assert asking.exchange.keys == ["version", "label", "version"]


async def test_a_day_of_silence_counts_across_restarts():
    with Asking() as asking:
        asking.exchange.is_there = False
        for _ in range(3):  # nine hours a day, then it is switched off
            for _ in range(9 * 4):
                await asking.ask()
                asking.ticks.pass_ms(_HOUR_MS // 4)
            asking.start()
        keys = asking.exchange.keys
        assert keys[: 2 * 36] == ["version"] * 72 and keys[-1] == "label", keys
        assert asking.store.writes <= 25
        await asking.ask()
        assert keys[-1] == "label" and asking.store.writes <= 25
        asking.exchange.is_there = True
        await asking.ask()
        asking.start()
        await asking.ask()
        assert keys[-1] == "version" and asking.store.records["silence"] == 0


async def test_a_machine_that_is_on_for_minutes_comes_back_too():
    with Asking() as asking:
        asking.exchange.is_there = False
        for _ in range(26):
            await asking.ask()
            asking.ticks.pass_ms(_HOUR_MS // 12)
            asking.start()
        assert asking.exchange.keys == ["version"] * 25 + ["label"]


async def test_what_flash_says_of_the_silence_is_checked():
    with Asking() as asking:
        asking.exchange.is_there = False
        for odd in ("25", -1, 1000, None, [], 1.5):
            asking.start()
            asking.store.records["silence"] = odd
            await asking.ask()
            assert asking.store.records["silence"] == 1


async def test_who_sleeps_asks_less_often_but_never_less_than_it_should():
    with Asking() as asking:
        asking.exchange.is_there = False
        asking.contact.is_short = True
        waits = []
        for _ in range(13):
            await asking.ask()
            waits.append(time.ticks_diff(asking.contact.next, asking.ticks.now) // 1000)
        assert waits[:3] == [60, 120, 240] and waits[-2:] == [86400, 86400], waits
