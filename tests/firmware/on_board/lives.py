# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What assembly.py does at a start, in part: a life's memory, from RTC memory and flash.

from muster.journal import JOURNAL, Journal
from muster.pulse import Pulse
from muster.recall import recall
from muster.restart import Former
from muster.timeline import Timeline

_FACTS = {"model": "m", "board": "b"}


# RTC memory, as machine.RTC().memory.
class Memory:
    def __init__(self):
        self.content = b""

    def __call__(self, *content):
        if content:
            self.content = bytes(content[0])
        return self.content


def timeline(memory=None):
    return begin(None, "power_on", memory)[0]


# (timeline, journal, former life) of a board that starts.
def begin(store, woke_by, memory=None):
    memory = memory or Memory()
    kept = recall(store.load(JOURNAL) if store else None)
    former = Former(memory, woke_by, kept[-1])
    timeline = Timeline(memory, former.record, Pulse(), former.slept)
    journal = Journal(store, kept, _FACTS, "0", woke_by, timeline)
    return timeline, journal, former
