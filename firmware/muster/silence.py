# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# For how long no configuration server has answered, over restarts too, and how long to wait for
# the next question. Loaded before and after one.

import time

from micropython import const

from . import log
from .backoff import Backoff
from .errors import DeviceError

_DAY_S = const(86400)  # nobody has answered for so long: the label's key is tried
_HOUR_S = const(3600)
_MOST_H = const(25)  # more than a day
_RECORD = const("silence")
_SHORT_S = const(60)  # the first wait of a device that sleeps: each question costs it a wake


# Returns for how long nobody has answered, or None if somebody has. Ticks wrap: what seems to lie
# ahead is longer ago than half their range, some six days.
def silence_s(contact):
    if contact.silent_at is None:
        return None
    ms = time.ticks_diff(time.ticks_ms(), contact.silent_at)
    return contact.silent_s + (ms // 1000 if ms >= 0 else 6 * _DAY_S)


# Prepares for a question: notes when the next one is due if this one stays without an answer, and
# returns whether nobody has answered for a day.
def ask(contact, sync_s):
    _look_back(contact)
    contact.due_in(_wait_s(contact, sync_s))
    contact.unanswered += 1
    return (silence_s(contact) or 0) > _DAY_S


# A device that sleeps asks less often, but never less than it should.
def _wait_s(contact, sync_s):
    if contact.is_short:
        return min(_SHORT_S << min(contact.unanswered, 16), sync_s)
    return Backoff(contact.unanswered).next_ms() // 1000


# Takes over the silence of the lives before this one, in hours begun: the time in which a device
# is switched off is unknown, and RTC memory is lost then. Whoever has slept deeply knows better.
def _look_back(contact):
    if contact.kept_h is None:
        kept_h = contact.store.load(_RECORD)
        contact.kept_h = kept_h if type(kept_h) is int and 0 <= kept_h <= _MOST_H else 0
        if contact.kept_h and not contact.is_short:
            _silent_for(contact, contact.kept_h * _HOUR_S)


def _silent_for(contact, seconds):
    contact.silent_s = seconds
    contact.silent_at = time.ticks_ms()


# Goes to flash once an hour, and 25 times in all: an hour of a device that starts again counts
# from the first question that stays without an answer.
def unanswered(contact):
    silent_s = silence_s(contact) or 0
    _silent_for(contact, silent_s)
    begun_h = min(silent_s // _HOUR_S + 1, _MOST_H)
    if begun_h > contact.kept_h:
        _keep(contact, begun_h)


def answered(contact):
    contact.unanswered = 0
    if contact.kept_h:
        _keep(contact, 0)


def _keep(contact, hours):
    contact.kept_h = hours
    try:
        contact.store.save(_RECORD, hours)
    except DeviceError as e:  # a device that cannot write waits a day without a break
        log.error("sync", e)
