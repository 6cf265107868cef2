# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Later contacts with the configuration server: when the next one is due, and under which key.

import time

from micropython import const

from .backoff import Backoff
from .errors import DeviceError
from .modules import release

_DAY_S = const(86400)
_DAY_MS = const(86400000)  # nobody has answered for so long: the label's key is tried


class Contact:
    def __init__(self, identity, clock, journal, timeline):
        self._identity = identity
        self._clock = clock
        self._journal = journal
        self._timeline = timeline
        self._retry = Backoff()
        # When the first question was asked that nobody has answered since. In ticks: the clock
        # may be set at any moment, and a device that asks once a day is not ignored.
        self._ignored_since = None
        self._next = time.ticks_ms()

    # One sync under the configuration's key; DeviceError if there is no authenticated answer, and
    # then the next one is due later and later.
    async def ask(self, config, state):
        from . import sync

        is_ignored = state != "trial" and self._is_ignored()
        self.due_in(self._retry.next_ms() // 1000)
        report = lambda: self._journal.report([], state)  # noqa: E731
        try:
            answer = await sync.ask_known(
                config, self._identity, is_ignored, report, self._timeline
            )
        except DeviceError:
            if self._ignored_since is None:
                self._ignored_since = time.ticks_ms()
            raise
        finally:
            del sync
            release("sync")
        self._retry.reset()
        self.heard(answer)
        self.due_in(answer.retry_s or config["policy"]["sync_s"])
        return answer

    # An authenticated answer, wherever it came from.
    def heard(self, answer):
        self._journal.heard(answer)
        self._clock.set(answer.time)
        self._ignored_since = None

    # Ticks wrap: what seems to lie ahead is longer ago than half their range, some six days.
    def _is_ignored(self):
        if self._ignored_since is None:
            return False
        return not 0 <= time.ticks_diff(time.ticks_ms(), self._ignored_since) <= _DAY_MS

    # In ticks, because the clock may be set at any moment; a day is well below half their range.
    def due_in(self, seconds):
        self._next = time.ticks_add(time.ticks_ms(), min(seconds, _DAY_S) * 1000)

    # seconds: from now on; a contact that is due later anyhow stays as it is.
    def not_before(self, seconds):
        if time.ticks_diff(self._next, time.ticks_ms()) < seconds * 1000:
            self.due_in(seconds)

    def is_due(self):
        return time.ticks_diff(self._next, time.ticks_ms()) <= 0
