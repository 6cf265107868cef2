# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What the device remembers of its own life across resets, and what it reports of it.

from micropython import const

from . import log
from .errors import DeviceError
from .timeline import HEAD

_DETAIL = const(120)
JOURNAL = "journal"


class Journal:
    # kept: the record of that name, as recall.py reads it. facts: what the deployment knew of this
    # board. Reset causes as hardware.py names them.
    def __init__(self, store, kept, facts, firmware, reset_cause, timeline):
        self._store = store
        self.model = facts["model"]
        self.board = facts["board"]
        self.firmware = firmware
        self.reset_cause = reset_cause
        self.timeline = timeline
        self.highest = kept[0]  # the highest version ever committed
        self.nonce = kept[1]  # of the newest directive
        self.last = kept[2]  # where and why the device last failed
        self.trial = kept[3]  # [version, step] while a candidate is tried
        # The version whose trials have failed last, and how often in a row.
        self.failed_version, self.failures = kept[4]
        self.clock = kept[5]  # an authenticated time, at most a day old when kept
        self.silent_h = kept[6]  # hours begun in which no server has answered, see silence.py
        # A nonce that was kept with a failure is of the directive that led to it; any other may
        # have been followed by newer ones.
        self.is_newest = self.trial is not None or self.last is not None
        # For failure.py: the last failure that flash knows of, and when one was kept, in ticks.
        self.kept = self.last
        self.kept_at = None

    def save(self):
        kept = {"highest": self.highest, "nonce": self.nonce, "last": self.last}
        kept["trial"] = self.trial
        kept["streak"] = self.failed_version, self.failures
        kept["clock"] = self.clock
        kept["silent_h"] = self.silent_h
        kept["timeline"] = self.timeline.record[HEAD:].decode()
        self._store.save(JOURNAL, kept)

    # Remembers how far a trial has come.
    def reached(self, version, step):
        if self.trial != [version, step]:
            self.trial = [version, step]
            self.save()

    def keep_clock(self, unix):
        self.clock = unix
        self._save_if_possible()

    # Notes how long nobody has answered; 0: somebody has.
    def silent(self, hours):
        self.silent_h = hours
        self._save_if_possible()

    # What is told so is worth less if it is older, but no reason to stop.
    def _save_if_possible(self):
        try:
            self.save()
        except DeviceError as e:
            log.error("journal", e)

    # Notes a failure, in RAM only.
    def failed(self, version, error):
        detail = error.detail[:_DETAIL]
        self.last = {
            "config": version,
            "step": error.step,
            "code": error.code,
            "detail": detail,
        }
