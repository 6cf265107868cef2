# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# A configuration on its way: kept, tried, then committed or dropped. Whatever cuts in, a restart
# finds either the old or the new one whole, and knows which to believe.

import time

from micropython import const

from . import log
from .backoff import Backoff
from .errors import DeviceError
from .timeline import RECEIVE

_COMMITTED = "committed"
_CANDIDATE = "candidate"

PROVED = const(10)  # stands where the journal keeps the step: all nine have succeeded


class Candidate:
    def __init__(self, store, journal, timeline):
        self._store = store
        self._journal = journal
        self._timeline = timeline
        self._failed_version = journal.last["config"] if journal.last else None
        self._retry_at = time.ticks_ms()

    # The configuration to run on after a restart, or None. It must not depend on being able to
    # write: what cannot be tidied up now is tidied up next time.
    def wake(self, woke_by):
        config = self._store.load(_COMMITTED)
        candidate = self._store.load(_CANDIDATE)
        if candidate is None:
            return config
        trial = self._journal.trial
        try:
            if config and config["version"] == candidate["version"]:  # cut right after the commit
                self._journal.highest = max(self._journal.highest, candidate["version"])
                self.drop()
            elif trial and trial[1] == PROVED:
                # The server may know it already, and have ended the keys of the one before.
                config = candidate
                self.commit(candidate)
            elif trial:
                code = "watchdog" if woke_by == "watchdog" else "power_lost"
                error = DeviceError(code, "restarted (%s) in the middle of the trial" % woke_by)
                error.step = trial[1]
                self.failed(candidate["version"], error)
            else:
                self.drop()
        except DeviceError as e:
            log.error("candidate", e)
        return config

    # How long to wait before this version may be tried: what has failed would fail again, so the
    # device first asks, later and later, whether there is something better.
    def due_in_ms(self, version):
        if version != self._failed_version:
            return 0
        return max(0, time.ticks_diff(self._retry_at, time.ticks_ms()))

    # The button overrides every wait.
    def hurry(self):
        self._retry_at = time.ticks_ms()

    # Stores the directive's configuration and returns it as a restart would read it.
    def keep(self, answer):
        version = answer.config["version"]
        error = None
        if version <= self._journal.highest:
            text = "version %d is not newer than %d" % (version, self._journal.highest)
            error = DeviceError("config_not_newer", text)
        else:
            self._store.save(_CANDIDATE, answer.config)
            answer.config = None  # one copy at a time
            config = self._store.load(_CANDIDATE)
            if config is not None:
                return config
            # E.g. a number that this board's floats cannot hold.
            error = DeviceError("config_invalid", "config.app: cannot be stored and read back")
        error.step = RECEIVE
        raise error

    # Remembers how far the trial has come.
    def reached(self, version, step):
        self._journal.trial = [version, step]
        self._journal.save()

    def failed(self, version, error):
        if version != self._failed_version:
            self._journal.failures = 0
        self._failed_version = version
        wait_ms = Backoff(self._journal.failures).next_ms()
        self._retry_at = time.ticks_add(time.ticks_ms(), wait_ms)
        self._journal.failures += 1
        self._timeline.failed(error)
        self._journal.failed(version, error)
        self.drop()

    # One record flip; the configuration before it stays as the older generation.
    def commit(self, config):
        size = self._store.promote(_CANDIDATE, _COMMITTED)
        self._journal.highest = config["version"]
        self._journal.failures = 0
        self._failed_version = None
        log.info("life", "committed version %d, %d bytes" % (config["version"], size))
        self.drop()

    # First the journal, then the candidate: a cut in between repeats this at the next start.
    def drop(self):
        self._journal.trial = None
        self._journal.save()
        self._store.erase(_CANDIDATE)

    # What was committed goes too.
    def forget(self):
        self._store.erase(_CANDIDATE)
        self._store.erase(_COMMITTED)
