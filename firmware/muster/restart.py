# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What the life before this one has left in RTC memory: the timeline, why it ended, and how many
# before it have ended early. Loaded at the start and let go again.

import binascii

from micropython import const

from .backoff import Backoff
from .errors import DeviceError
from .recall import are_lines
from .timeline import CURES, EARLY, HEAD, REGISTER, SEEK, SLEPT, STEP, WHO, Timeline

_CRC = const(4)
_FROM = const(104)  # where the record begins: behind the block of waking.py and its CRC
_FEW = const(3)  # so many early resets may have as many causes
_UNASKED = const(("power_on", "watchdog", "hard"))


# Knows the former life, and the record that goes on with its timeline.
class Former:
    # memory: as machine.RTC().memory. woke_by: why the board has started. kept: the timeline as
    # flash has it.
    def __init__(self, memory, woke_by, kept):
        found = memory()
        crc, record = found[SLEPT:_FROM], found[_FROM:]
        self.woke_by = woke_by
        # Only after deep sleep: see waking.py, which checks it.
        self.slept = found[:SLEPT] if woke_by == "deep_sleep" and crc else None
        # Not after a loss of power, nor if a brown-out has bent it, nor another firmware's.
        self.is_kept = len(record) >= HEAD and _crc(record) == crc and _is_ours(record)
        if not self.is_kept:
            record = bytes(HEAD) + kept.encode()
        self._early = record[EARLY] if woke_by in _UNASKED else 0
        self.is_shaky = self._early >= _FEW
        self._step = record[STEP]  # which was under way, 0 for none
        self._blamed = record[WHO:CURES].rstrip(b"\0").decode()  # the task or defect that ended it
        # This life counts as an early one until it has settled.
        self.record = bytes((min(self._early + 1, 255),)) + bytes(CURES - STEP) + record[CURES:]

    # Returns the failure that it ended with, or None if people ended it. is_trial: in the middle
    # of one.
    def failure(self, is_trial, is_committed):
        if self.woke_by == "watchdog" or self._blamed:
            who = self._blamed or "nothing was able to run"
            error = DeviceError("watchdog", "restarted (%s): %s" % (self.woke_by, who))
        elif self.woke_by == "power_on" and self.is_kept:
            # The supply has fallen, and come back before RTC memory was lost.
            error = DeviceError("power_lost", "restarted (brown-out): the supply is too weak")
        elif is_trial:
            text = "restarted (%s) in the middle of the trial" % self.woke_by
            error = DeviceError("power_lost", text)
        else:
            return None
        error.step = self._step or (REGISTER if is_committed else SEEK)
        return error

    # Returns how long the radio, which wants the most current, has to stay off: a supply that
    # breaks down under it would do so again at once.
    def rest_ms(self):
        return Backoff(self._early).next_ms() if self.is_shaky else 0


# Notes what has ended this life; the next one will say it. The record stays this life's but for
# that.
def blame(memory, who):
    found = memory()
    record = found[_FROM:]
    if len(record) < HEAD or _crc(record) != found[SLEPT:_FROM]:
        record = bytes(HEAD)  # it ended before it had one
    Timeline(memory, record, None).blame(who)


def _crc(record):
    return binascii.crc32(record).to_bytes(_CRC, "little")


def _is_ours(record):
    try:
        record[WHO:CURES].decode()
        return record[STEP] <= REGISTER and are_lines(record[HEAD:].decode())
    except UnicodeError:
        return False
