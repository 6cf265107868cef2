# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What the device remembers of its own life across resets, and what it reports of it.

import binascii
import gc
import sys

from micropython import const

from . import log
from .compact import dumps
from .errors import DeviceError
from .modules import release

_NETWORKS = const(8)
_DETAIL = const(120)
_NAME = "journal"


class Journal:
    # facts: what the deployment knew of this board. Reset causes as hardware.py names them.
    def __init__(self, store, facts, firmware, reset_cause, timeline):
        self._store = store
        self._facts = facts
        self._firmware = firmware
        self._reset_cause = reset_cause
        self._timeline = timeline
        from .recall import recall

        kept = recall(store.load(_NAME))
        del recall
        release("recall", "schema")
        self.highest = kept[0]  # the highest version ever committed
        self.nonce = kept[1]  # of the newest directive
        self.last = kept[2]  # where and why the device last failed
        self.trial = kept[3]  # [version, step] while a candidate is tried
        # The version whose trials have failed last, and how often in a row.
        self.failed_version, self.failures = kept[4]
        self.clock = kept[5]  # an authenticated time, at most a day old when kept
        # A nonce that was kept with a failure is of the directive that led to it; any other may
        # have been followed by newer ones.
        self._is_newest = self.trial is not None or self.last is not None

    def save(self):
        kept = {"highest": self.highest, "nonce": self.nonce, "last": self.last}
        kept["trial"] = self.trial
        kept["streak"] = self.failed_version, self.failures
        kept["clock"] = self.clock
        self._store.save(_NAME, kept)

    # Remembers how far a trial has come.
    def reached(self, version, step):
        self.trial = [version, step]
        self.save()

    # After a factory reset nothing is remembered but the time.
    def reset(self):
        self.highest = self.failures = 0
        self.nonce = self.failed_version = self.last = self.trial = None
        self.save()

    def keep_clock(self, unix):
        self.clock = unix
        try:
            self.save()
        except DeviceError as e:  # an older floor is worth less, but no reason to stop
            log.error("journal", e)

    # In RAM only: a device that finds no network for a year must not wear its flash out.
    def failed(self, version, error):
        detail = error.detail[:_DETAIL]
        self.last = {
            "config": version,
            "step": error.step,
            "code": error.code,
            "detail": detail,
        }

    # An answer to a report that echoed the newest nonce: the server knows of the failure.
    def heard(self, answer):
        if self._is_newest:
            self.last = None
        self._is_newest = True
        self.nonce = answer.nonce

    # The report as compact JSON. It can be read later by whoever learns the key, so it holds no
    # credential. seen: a scan's result; state: "blank", "trial" or "committed".
    def report(self, seen, state):
        document = {
            "v": 1,
            "echo": self.nonce,
            "config": self.highest,
            "state": state,
            "model": self._facts["model"],
            "board": self._facts["board"],
            "firmware": self._firmware,
            "micropython": ".".join([str(n) for n in sys.implementation.version[:3]]),
            "reset_cause": self._reset_cause,
            "heap_free": gc.mem_free(),
            "scan": [[_base64url(s[0]), s[1], s[2], s[3]] for s in seen[:_NETWORKS]],
            "last": self.last,
            "timeline": self._timeline.entries,
        }
        return dumps(document)


# SSIDs are bytes and need not be text.
def _base64url(raw):
    text = binascii.b2a_base64(raw)[:-1].decode()
    return text.replace("+", "-").replace("/", "_").rstrip("=")
