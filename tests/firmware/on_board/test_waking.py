# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What outlives deep sleep in RTC memory: for whom it is good, and what becomes of it when it rots.

import time

from lives import Memory, begin

from muster import waking
from muster.backoff import SecondTry
from muster.contact import Contact
from muster.restart import Former
from muster.silence import silence_s
from muster.timeline import SLEPT

_CONFIG = {"version": 7, "platform": {"originator": "Cdevice"}}
_NOW = 1800000000


class Clock:
    def __init__(self, unix=_NOW):
        self.unix = unix
        self.is_known = self.is_vouched = False

    def now(self):
        return self.unix


class Operation:
    lease = "none"
    is_known = asks_first = is_held = False

    def __init__(self):
        self.platform = self


# As much of lifecycle.py's as waking.py knows.
class Life:
    def __init__(self, memory, woke_by="deep_sleep", unix=_NOW):
        self.timeline, self.journal, former = begin(None, woke_by, memory)
        self.slept = former.slept
        self.clock = Clock(unix)
        self.contact = Contact(None, self.clock, self.journal, self.timeline)
        self.again = SecondTry(self.journal)
        self.operation = Operation()

    def wake(self, config=_CONFIG):
        waking.wake(self, config, self.slept)
        return self


def _left_s(contact):
    return (time.ticks_diff(contact.next, time.ticks_ms()) + 999) // 1000


# RTC memory after a life that knew something.
def _memory():
    memory = Memory()
    life = Life(memory, "power_on")
    life.clock.is_known = life.clock.is_vouched = True
    life.contact.due_in(3600)
    life.contact.silent_s, life.contact.silent_at = 500, time.ticks_ms()
    life.contact.unanswered = 3
    life.journal.nonce = "n" * 64
    life.journal.is_newest = True
    life.journal.failed_version, life.journal.failures = 8, 1
    life.again.due_in(200)
    waking.remember(life, _CONFIG, (_NOW + 1000, 2000))
    return memory


def _is_blank(life):
    assert not life.clock.is_known and life.contact.is_due() and not life.contact.is_short
    assert life.operation.lease == "none" and life.journal.nonce is None
    assert silence_s(life.contact) is None
    return True


def test_what_was_known_is_known_again_less_the_sleep():
    life = Life(_memory(), unix=_NOW + 150).wake()
    life.journal.failed_version = 8
    assert life.clock.is_known and life.clock.is_vouched and life.contact.is_short
    assert _left_s(life.contact) == 3450
    assert silence_s(life.contact) == 650 and life.contact.unanswered == 3
    assert (life.journal.nonce, life.journal.is_newest) == ("n" * 64, True)
    assert 49000 < life.again.due_in_ms(8) <= 50000
    assert life.operation.lease == (_NOW + 1000, 2000)


def test_a_sleep_longer_than_the_waits_makes_all_of_them_due():
    life = Life(_memory(), unix=_NOW + 100000).wake()
    life.journal.failed_version = 8
    assert life.contact.is_due() and not life.again.due_in_ms(8)
    assert silence_s(life.contact) == 100500


def test_a_lease_without_an_end_and_no_silence_are_kept_as_such():
    memory = Memory()
    waking.remember(Life(memory, "power_on"), _CONFIG, None)
    life = Life(memory).wake()
    assert life.operation.lease is None and silence_s(life.contact) is None
    assert not (life.clock.is_known or life.clock.is_vouched)
    assert life.journal.nonce is None


def test_it_lasts_over_a_life_that_learns_nothing_new():
    memory = _memory()
    Life(memory, unix=_NOW + 50)
    assert _left_s(Life(memory, unix=_NOW + 100).wake().contact) == 3500


def test_only_deep_sleep_goes_on_with_it():
    for woke_by in ("power_on", "hard", "watchdog", "soft", "unknown"):
        memory = _memory()
        assert Life(memory, woke_by).slept is None
        life = Life(memory)  # and what was not used once is never used
        assert _is_blank(life.wake()), woke_by


def test_another_configuration_or_device_has_no_use_for_it():
    for config in (
        {"version": 8, "platform": {"originator": "Cdevice"}},
        {"version": 7, "platform": {"originator": "Cother"}},
    ):
        assert _is_blank(Life(_memory()).wake(config))


def test_a_clock_that_has_gone_back_makes_everything_due():
    assert _is_blank(Life(_memory(), unix=_NOW - 1).wake())


def test_every_rotten_bit_is_noticed_and_costs_the_timeline_nothing():
    for at in range(SLEPT):
        for bit in (1, 0x80):
            memory = _memory()
            rotten = bytearray(memory.content)
            rotten[at] ^= bit
            memory.content = bytes(rotten)
            assert Former(memory, "deep_sleep", "").is_kept
            assert _is_blank(Life(memory).wake())


# RTC memory is no flash: a write that a reset ends leaves the newer content up to some byte.
def test_a_reset_in_the_middle_of_a_write_leaves_the_former_the_newer_or_nothing():
    former = _memory().content
    memory = Memory()
    memory.content = former
    life = Life(memory, unix=_NOW + 50).wake()
    life.contact.due_in(9000)
    life.journal.nonce = "m" * 64
    waking.remember(life, _CONFIG, None)
    newer = memory.content
    found = set()
    for at in range(min(len(former), len(newer)) + 1):
        memory.content = newer[:at] + former[at:]
        life = Life(memory, unix=_NOW + 100).wake()
        if life.contact.is_short:
            found.add((life.journal.nonce[0], _left_s(life.contact), life.operation.lease))
        else:
            assert _is_blank(life), at
    assert found == {("n", 3500, (_NOW + 1000, 2000)), ("m", 8950, None)}


def test_memory_that_is_cut_short_is_none():
    whole = _memory().content
    for length in (0, 1, SLEPT - 1, SLEPT, SLEPT + 1, SLEPT + 4):
        memory = Memory()
        memory.content = whole[:length]
        life = Life(memory)
        assert life.slept is None or length > SLEPT


def test_a_nonce_that_nobody_hands_out_is_left_out():
    memory = Memory()
    life = Life(memory, "power_on")
    life.journal.nonce = "n" * 65
    waking.remember(life, _CONFIG, None)
    assert len(life.timeline.slept) == SLEPT
    assert Life(memory).wake().journal.nonce is None


def test_another_firmwares_words_are_passed_over():
    life = Life(Memory(), "power_on")
    life.journal.nonce = "nn"
    waking.remember(life, _CONFIG, None)
    block = bytearray(life.timeline.slept[:-4])
    block[24:30] = b"\xff\xff\xff\xff\xff\xff"  # the last wait, and the nonce
    life = Life(Memory(), "power_on")
    waking.wake(life, _CONFIG, bytes(block) + waking._crc(bytes(block), _CONFIG))
    assert life.journal.nonce is None and life.contact.is_short
