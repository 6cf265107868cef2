# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Where a network may be found: a name is not a network, for anybody may bear it, and one of its
# access points may be ill. Which is worth a try, and which has failed lately. Loaded when needed.

import time

from micropython import const

# How a place is known: by its name and BSSID as they were heard; by the network's name alone; or
# because an access point there hides its name.
_HEARD = const(0)
_BY_NAME = const(1)
_GUESS = const(2)

_GUESSES = const(4)
_TRIED = const(16)
_REMEMBERED = const(16)  # anybody can invent access points
_FOR_MS = const(900000)  # then one that has failed may have healed


# Returns the places of a network, each (ssid, bssid or None, kind, rssi or None, auth or None).
# seen: a scan. may_hide: the network may not tell its name.
def of(ssid, may_hide, seen):
    found = [(ssid, s[1], _HEARD, s[3], s[4]) for s in seen if s[0] == ssid]
    hidden = [s for s in seen if not s[0]]
    if not found:
        # What can be known of it is what all that hide have in common.
        rssi = hidden[0][3] if hidden else None
        auth = max([s[4] for s in hidden]) if hidden else None
        found.append((ssid, None, _BY_NAME, rssi, auth))
    if may_hide:
        found += [(ssid, s[1], _GUESS, s[3], s[4]) for s in hidden[:_GUESSES]]
    return found


# Returns the places for onboarding in the order of trying: those that have not failed lately, then
# the one whose failure is longest ago; among equals the strongest, a name that nobody tells last.
# prefix: of their names; ssid: a network with another name, or None.
def for_onboarding(prefix, ssid, seen, failures):
    found = of(ssid, True, seen) if ssid else []
    for s in seen:
        if s[0].startswith(prefix) and s[0] != ssid:
            found.append((s[0], s[1], _HEARD, s[3], s[4]))
    found.sort(key=lambda p: (rank(p, failures), p[2], -(p[3] or 0)))
    return found[:_TRIED]


# Returns 0 if a place has not failed lately, else a number that is the larger the later it was.
def rank(place, failures):
    return _rank(place[1] or place[0], failures)


def _rank(key, failures):
    now = time.ticks_ms()
    for n, (failed, at) in enumerate(failures):
        # Ticks wrap: what seems to lie ahead is days ago.
        if failed == key and 0 <= time.ticks_diff(now, at) < _FOR_MS:
            return n + 1
    return 0


# Remembers that a place (its BSSID, or the name of what was joined by name) has failed just now.
# failures: [(place, ticks)], oldest first.
def fail(key, failures):
    forgive(key, failures)
    failures.append((key, time.ticks_ms()))
    del failures[:-_REMEMBERED]


# Notes that the place that is joined does not lead on; it counts as failed from then on. Tells
# whether that has been long ago. was_proved: it has led somewhere since it was joined.
def doubt(key, failures, was_proved):
    is_old = not was_proved and not _rank(key, failures)
    if was_proved or is_old:
        fail(key, failures)
    return is_old


def forgive(key, failures):
    failures[:] = [failure for failure in failures if failure[0] != key]
