# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Syncs, in which the device reports and the server directs (steps 5 and 6, and every later
# contact): under which key, and when the next one is due.

import gc
import time

from micropython import const

from . import log
from .actions import FORGET, KEEP
from .backoff import Backoff
from .errors import DeviceError
from .modules import borrow, borrowed
from .timeline import REPORT

_DAY_S = const(86400)
_DAY_MS = const(86400000)  # nobody has answered for so long: the label's key is tried
_TIMEOUT_MS = const(15000)


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
        is_ignored = state != "trial" and self._is_ignored()
        self.due_in(self._retry.next_ms() // 1000)
        _, host, port, _ = borrow("url", "split", config["config_server"]["url"])
        try:
            key = None if is_ignored else config
            answer = await self.ask_at((host, port), key, [], state, _TIMEOUT_MS)
        except DeviceError:
            if self._ignored_since is None:
                self._ignored_since = time.ticks_ms()
            raise
        if is_ignored and answer.action == FORGET:
            answer.action = KEEP  # whoever has only the label may not take a device away
        self._retry.reset()
        self.due_in(answer.retry_s or config["policy"]["sync_s"])
        return answer

    # One sync with this server, a (host, port), under the key of a configuration, or the label's
    # if that is None. seen, state: as in a report. Each step that ends is noted in the timeline;
    # the one that fails is left open for the caller to note.
    async def ask_at(self, server, config, seen, state, timeout_ms):
        self._timeline.begin(REPORT)
        gc.collect()
        report = lambda: self._journal.report(seen, state)  # noqa: E731
        asked = (server, self._identity, config, report, self._timeline, timeout_ms)
        text = await borrowed("sync noise http", "exchange", *asked)
        answer = borrow("directive configuration schema url", "parse", text)
        if answer.config:
            log.hide_config(answer.config)
        self._timeline.done(_summary(answer))
        self._heard(answer)
        return answer

    def _heard(self, answer):
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


def _summary(answer):
    if answer.config:
        return "configure with version %d" % answer.config["version"]
    return answer.action
