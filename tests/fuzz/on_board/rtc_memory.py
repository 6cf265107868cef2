# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What RTC memory holds after a reset: the former life's record, bent by a brown-out, or another
# program's.

from binascii import crc32

from lives import Memory
from mutation import chance, changed_bytes, some

from muster import waking
from muster.backoff import SecondTry
from muster.contact import Contact
from muster.errors import DeviceError
from muster.journal import Journal
from muster.pulse import Pulse
from muster.recall import recall
from muster.report import entries, write
from muster.restart import Former
from muster.timeline import HEAD, SLEPT, Timeline

ROOM = 192 << 10
_CAUSES = ("power_on", "hard", "watchdog", "deep_sleep", "soft")
_LINES = b"3 ok 97 1795400000\n4 wifi_auth 5020 1795400005\n8 wifi_no_ap 30000 1795400100\n"
_WORDS = [b"\n", b" ", b"ok", b"9 ", b"\0" * 12, b"\xff", b"99999999999999999999"]


def _sealed(record, slept=bytes(SLEPT)):
    return slept + crc32(record).to_bytes(4, "little") + record


# What waking.py keeps, with a right checksum whatever it says.
def _woken(content):
    block = (b"\1" + content + bytes(SLEPT))[: SLEPT - 4]
    return block + waking._crc(block, CONFIG)


SEEDS = [
    _sealed(bytes(HEAD) + _LINES), _sealed(b"\3\10app" + bytes(HEAD - 5) + _LINES * 8),
    _sealed(bytes(HEAD)), b"", bytes(2048),
]  # fmt: skip


CONFIG = {"version": 7, "platform": {"originator": "Cdevice"}}


# As much of a life as waking.py knows.
class Life:
    def __init__(self, journal, timeline):
        self.journal = journal
        self.timeline = timeline
        self.clock = self.operation = self.platform = self
        self.contact = Contact(None, self, journal, timeline)
        self.again = SecondTry(journal)

    def now(self):
        return 1795400000


def make(corpus):
    data = changed_bytes(some(corpus), some(corpus), _WORDS)[:2048]
    if chance(2):
        return _sealed(data[SLEPT + 4 :], _woken(data[1:SLEPT]))
    return data


def play(data):
    memory = Memory()
    memory.content = bytes(data)
    kept = recall(None)
    cause = _CAUSES[len(data) % len(_CAUSES)]
    former = Former(memory, cause, kept[-1])
    error = former.failure(True, False)
    if error is not None and (not isinstance(error, DeviceError) or not 1 <= error.step <= 10):
        return "no step: %r" % error.step
    if former.rest_ms() > 400000:
        return "rests for ever"
    timeline = Timeline(memory, former.record, Pulse(), former.slept)
    journal = Journal(None, kept, {"model": "m", "board": "b"}, "0", cause, timeline)
    write(journal, [], "blank", "246f28aabbcc", [0, 0])
    if former.slept:
        waking.wake(Life(journal, timeline), CONFIG, former.slept)
    for step in (3, 4, 5, 8):
        timeline.begin(step)
        timeline.done("x")
    timeline.blame("x" * 40)
    found = entries(timeline)
    if len(memory.content) > 2048:
        return "more than RTC memory holds: %d" % len(memory.content)
    for step, code, ms in found:
        if not 1 <= step <= 9 or not isinstance(code, str) or ms < 0:
            return "no entry: %r" % [step, code, ms]
    return None
