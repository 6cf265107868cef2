# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# For how long no configuration server has answered, over restarts too, and how long to wait for
# the next question. Loaded before and after one.

import time

from micropython import const

from .backoff import Backoff

_DAY_S = const(86400)  # nobody has answered for so long: another key is tried, see sync.py
_HOUR_S = const(3600)
_MOST_H = const(25)  # more than a day
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
    contact.due_in(_wait_s(contact, sync_s))
    contact.unanswered += 1
    return (silence_s(contact) or 0) >= _DAY_S


# A device that sleeps asks less often, but never less than it should.
def _wait_s(contact, sync_s):
    if contact.is_short:
        return min(_SHORT_S << min(contact.unanswered, 16), sync_s)
    return Backoff(contact.unanswered).next_ms() // 1000


# Goes to flash once an hour, and 25 times in all. A life without a former one's RTC memory goes on
# with the hours that flash knows (contact.py): how long the board was switched off is unknown, and
# an hour counts from its first question in vain, so that who is on for minutes comes back, too.
def unanswered(contact):
    silent_s = contact.silent_s = silence_s(contact) or 0
    contact.silent_at = time.ticks_ms()
    begun_h = min(silent_s // _HOUR_S + 1, _MOST_H)
    if begun_h > contact.journal.silent_h:
        contact.journal.silent(begun_h)


# is_over: the silence. Not if who asks as an adopted device shall come again: it comes as such,
# because its version may not be known there.
def answered(contact, is_over):
    contact.unanswered = 0
    if is_over:
        contact.silent_s, contact.silent_at = 0, None
        if contact.journal.silent_h:
            contact.journal.silent(0)
