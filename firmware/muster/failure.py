# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# A failure outside a trial, which has its own way home: who is told, and how long to wait then.
# Loaded by lifecycle.py when there is one.

import time

from micropython import const

from . import log
from .errors import DeviceError
from .timeline import RECEIVE

_SEEKING_MS = const(600000)  # so long after power-on or a press a device seeks eagerly
_EAGER_MS = const(10000)
_HOUR_MS = const(3600000)


# Returns how long to wait, in ms; the next failure will wait longer.
def note(life, error):
    if error.step is None and life.timeline.step is None:
        error.step = RECEIVE  # between the steps only a directive is obeyed
    life.timeline.failed(error)
    life.journal.failed(life.config["version"] if life.config else 0, error)
    _keep(life.journal)
    life.led.failed(error.step)
    if time.ticks_diff(time.ticks_ms(), life.eager_from) > _SEEKING_MS:
        life.calm_down()
    delay_ms = max(life.backoff.next_ms(), (error.retry_s or 0) * 1000)
    if life.config is None and life.is_eager:
        return min(delay_ms, _EAGER_MS)
    return delay_ms


# It goes to flash if it is news, and once an hour at most: a device that finds no network for a
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
