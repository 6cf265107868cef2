# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# A failure, outside a trial or of one: who is told, how long to wait then, and whether a candidate
# that has failed has its turn. Loaded when there is one.

import time

from micropython import const

from . import log
from .errors import DeviceError
from .modules import borrow
from .timeline import LEAVE, RECEIVE

_SEEKING_MS = const(600000)  # so long after power-on or a press a device seeks eagerly
_EAGER_MS = const(10000)
_HOUR_MS = const(3600000)
_AWHILE_MS = const(6000)  # the wait after four failures in a row


# Notes the failure wherever it is told. Returns how long to wait, in ms; the next failure will
# wait longer. And whether the candidate that is kept has its turn then; not if it has just had it.
def note(life, error, was_second):
    if error.step is None and life.timeline.step is None:
        error.step = RECEIVE  # between the steps only a directive is obeyed
    life.timeline.failed(error)
    # That home is gone tells less than why the trial failed, of which nobody has heard yet.
    last = life.journal.last
    if life.config or not last or last["config"] != life.journal.failed_version:
        life.journal.failed(life.config["version"] if life.config else 0, error)
        _keep(life.journal)
    life.led.failed(error.step)
    if time.ticks_diff(time.ticks_ms(), life.eager_from) > _SEEKING_MS:
        life.calm_down()
    delay_ms = max(life.backoff.next_ms(), (error.retry_s or 0) * 1000)
    if life.config is None and life.is_eager:
        delay_ms = min(delay_ms, _EAGER_MS)
    return delay_ms, not was_second and _is_candidates_turn(life, delay_ms)


# Notes what has ended a trial; the device comes home without it.
def end_trial(life, version, error):
    life.wifi.stop()
    if error.step is None and life.timeline.step is None:
        error.step = LEAVE  # the journal could not be written before the first step
    life.timeline.failed(error)
    life.led.failed(error.step)
    borrow("candidate", "fail", life.store, life.journal, version, error)
    life.again.wait(error.retry_s or 0)


# Tells whether the candidate that is kept has its turn after this wait: a blank device has nothing
# else, one that runs on something has tried that some times. While a bundle waits it is tried in
# its place.
def _is_candidates_turn(life, wait_ms):
    version = life.journal.failed_version
    if version is None or life.bundle is not None or life.again.due_in_ms(version) > wait_ms:
        return False
    if life.config and wait_ms < _AWHILE_MS:
        return False
    return borrow("candidate", "kept", life.store, life.journal, version) is not None


# Writes it to flash if it is news, and once an hour at most: a device that finds no network for a
# year must not wear it out.
def _keep(journal):
    now = time.ticks_ms()
    news = journal.last["step"], journal.last["code"]
    if journal.kept and news == (journal.kept["step"], journal.kept["code"]):
        return
    if journal.kept_at is not None and 0 <= time.ticks_diff(now, journal.kept_at) < _HOUR_MS:
        return
    journal.kept = journal.last
    journal.kept_at = now
    try:
        journal.save()
    except DeviceError as e:
        log.error("journal", e)
