# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# A configuration on its way: kept, tried, then committed or dropped. Whatever cuts in, a restart
# finds either the old or the new one whole, and knows which to believe. Loaded when needed.

from micropython import const

from . import log
from .errors import DeviceError
from .timeline import PROVED, RECEIVE

_COMMITTED = const("committed")
_CANDIDATE = const("candidate")


# Returns the configuration to run on after a restart, or None. It must not depend on being able to
# write: what cannot be tidied up now is tidied up next time.
def wake(store, journal, timeline, former):
    config = _load(store, _COMMITTED)
    candidate = _load(store, _CANDIDATE)
    version = candidate["version"] if candidate else None
    reached = None  # the step that the candidate's trial had come to
    if journal.trial and journal.trial[0] == version:
        reached = journal.trial[1]
    is_committed = config is not None and config["version"] == version  # cut right after it
    is_failed = reached is not None and reached != PROVED and not is_committed
    error = former.failure(is_failed, config is not None)
    try:
        if is_failed:
            error.step = reached
            timeline.failed(error)
            fail(store, journal, version, error)
            return config
        if is_committed:
            _double(store)
            journal.highest = max(journal.highest, version)
        elif reached == PROVED:
            # The server may know it already, and have ended the keys of the one before.
            config = candidate
            _commit(store, journal, version)
        if candidate is not None and reached is None and version > journal.highest:
            _wait(journal, version)
        elif candidate is not None or journal.trial:  # the candidate may have rotted
            drop(store, journal)
        if error:
            _note(journal, timeline, config["version"] if config else 0, error)
    except DeviceError as e:
        log.error("candidate", e)
    return config


# Returns a kept configuration, or None. A record of another firmware may have a right checksum and
# be no configuration.
def _load(store, name):
    config = store.load(name)
    if config is None:
        return None
    if isinstance(config, dict) and isinstance(config.get("version"), int):
        return config
    log.error("candidate", "what is kept as %s is no configuration" % name)
    return None


# Lets a candidate wait for its turn: its trial has failed, or the power went before it began.
def _wait(journal, version):
    if journal.failed_version != version:
        journal.failed_version = version
        journal.failures = 0
    elif not journal.trial:
        return
    journal.trial = None
    journal.save()


# Returns the candidate of that version if it is kept, or None.
def kept(store, journal, version):
    config = _load(store, _CANDIDATE)
    if config is None or config["version"] != version or version <= journal.highest:
        return None
    return config


# Notes what ended a life at work. The nonce in flash may not be the newest, so it is reported
# twice.
def _note(journal, timeline, version, error):
    timeline.failed(error)
    journal.failed(version, error)
    journal.is_newest = False
    journal.save()


# Stores the directive's configuration and returns it as a restart would read it. Raises
# DeviceError.
def keep(store, journal, answer):
    version = answer.config["version"]
    if journal.trial and journal.trial[1] == PROVED:
        # The one that the device runs on, and that flash has refused so far: it comes first, or
        # the next failure would leave nothing of it.
        _commit(store, journal, journal.trial[0])
    if version <= journal.highest:
        text = "version %d is not newer than %d" % (version, journal.highest)
        error = DeviceError("config_not_newer", text)
    else:
        store.save(_CANDIDATE, answer.config)
        answer.config = None  # one copy at a time
        config = store.load(_CANDIDATE)
        if config is not None:
            return config
        # E.g. a number that this board's floats cannot hold.
        error = DeviceError("config_invalid", "config.app: cannot be stored and read back")
    error.step = RECEIVE
    raise error


# Notes the failure. error has its step. The journal counts failures of the same version in a row.
# The candidate stays until there is a better one: home may be gone when the device comes there.
def fail(store, journal, version, error):
    if journal.failed_version != version:
        journal.failed_version = version
        journal.failures = 0
    journal.failures += 1
    journal.failed(version, error)
    set_aside(store, journal)


# Ends a trial and lets its candidate wait. Where there is no room for both, the journal comes
# first.
def set_aside(store, journal):
    journal.trial = None
    try:
        journal.save()
    except DeviceError:
        store.spoil()
        store.erase(_CANDIDATE)
        journal.save()


# Drops a candidate that has failed: the server wants the device to keep what it runs on.
def let_go(store, journal):
    journal.failed_version = None
    journal.failures = 0
    try:
        drop(store, journal)
    except DeviceError as e:  # the next start tidies up
        log.error("candidate", e)


# Makes the candidate the committed configuration, and returns it.
def commit(store, journal, version):
    try:
        _commit(store, journal, version)
    except DeviceError as e:  # it is proved and kept: the next start, or candidate, commits it
        log.error("candidate", e)
    config = store.load(_COMMITTED)
    return config if config and config["version"] == version else store.load(_CANDIDATE)


# Flips one record. What it supersedes is of no use any more, its keys are ended: the older
# generation becomes the same.
def _commit(store, journal, version):
    if store.count(_COMMITTED) or store.count(_CANDIDATE) > 1:
        store.spoil()
    size = store.promote(_CANDIDATE, _COMMITTED)
    _double(store)
    journal.highest = version
    journal.failed_version = None
    journal.failures = 0
    log.info("life", "committed version %d, %d bytes" % (version, size))
    _drop(store, journal)


def _double(store):
    if store.count(_COMMITTED) > 1:
        store.promote(_CANDIDATE, _COMMITTED)


# Drops the candidate: first the journal, then the record, so that a cut in between repeats this at
# the next start.
def drop(store, journal):
    store.spoil()
    _drop(store, journal)


def _drop(store, journal):
    journal.trial = None
    journal.save()
    store.erase(_CANDIDATE)


# Erases the candidate and what was committed.
def forget(store, journal):
    store.spoil()
    store.erase(_CANDIDATE)
    store.erase(_COMMITTED)
