# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What a device knows over deep sleep: in RTC memory, before the timeline, with a layout number and
# a CRC. No key and no password lies there. Loaded when a device wakes, and when it learns more.
#
# It is good for one configuration, with which the CRC begins, and only after deep sleep: any other
# start has lost the time, or has a reason to look at everything anew.

import binascii
import struct
import time

from micropython import const

from .silence import silence_s
from .timeline import HEAD, SLEPT

_LAYOUT = const(1)
# Layout, flags, unanswered questions, the nonce's length; then six times in seconds: when it was
# written (Unix), when the server is asked next (from then on), how long nobody has answered, plus
# one, when the lease wants to be renewed (Unix), its life, and when a configuration that has
# failed is tried again (from then on).
_FORM = const("<BBBBIIIIII")
_HEAD = const(28)
_LONGEST_NONCE = const(64)
_IS_KNOWN = const(1)
_HAS_LEASE = const(2)
_IS_NEWEST = const(4)
_IS_VOUCHED = const(8)
_MOST_S = const(0x3FFFFFFF)
_LONGEST_AGAIN_S = const(375)  # backoff.py's


# Writes down what this life knows. lease: the registration's, see platform.py.
def remember(life, config, lease):
    contact, journal, clock = life.contact, life.journal, life.clock
    nonce = (journal.nonce or "").encode()
    if len(nonce) > _LONGEST_NONCE:
        nonce = b""
    flags = _IS_KNOWN if clock.is_known else 0
    flags |= _IS_VOUCHED if clock.is_vouched else 0
    flags |= _HAS_LEASE if lease else 0
    flags |= _IS_NEWEST if journal.is_newest else 0
    renew_at, life_s = lease or (0, 0)
    wait_ms = life.again.due_in_ms(journal.failed_version)
    silent_s = silence_s(contact)
    left_ms = time.ticks_diff(contact.next, time.ticks_ms())
    times = (
        clock.now(),
        max(0, (left_ms + 999) // 1000),
        0 if silent_s is None else min(silent_s, _MOST_S) + 1,
        renew_at,
        life_s,
        (wait_ms + 999) // 1000,
    )
    counts = (_LAYOUT, flags, min(contact.unanswered, 255), len(nonce))
    block = struct.pack(_FORM, *counts, *times) + nonce
    block += bytes(SLEPT - 4 - len(block))
    life.timeline.slept = block + _crc(block, config)
    life.timeline.put(HEAD, b"")


# Goes on with what the life before the sleep knew, if it is whole and this configuration's; else
# everything is due. block: what lay in RTC memory.
def wake(life, config, block):
    block, crc = block[:-4], block[-4:]
    if _crc(block, config) != crc or block[0] != _LAYOUT:
        return
    _, flags, unanswered, nonce, *times = struct.unpack(_FORM, block)
    written, next_s, silent_s, renew_at, life_s, again_s = times
    slept_s = life.clock.now() - written
    if slept_s < 0:  # the time was lost, or has been set back
        return
    life.clock.is_known = bool(flags & _IS_KNOWN)
    life.clock.is_vouched = bool(flags & _IS_VOUCHED)
    contact, operation = life.contact, life.operation
    contact.is_short = True
    contact.unanswered = unanswered
    contact.due_in(max(0, next_s - slept_s))
    # More exact than what flash has, which does not know how long the board has slept.
    contact.silent_s = silent_s - 1 + slept_s if silent_s else 0
    contact.silent_at = time.ticks_ms() if silent_s else None
    _restore_nonce(life.journal, block[_HEAD : _HEAD + nonce], flags)
    life.again.due_in(max(0, min(again_s - slept_s, _LONGEST_AGAIN_S)))
    operation.is_known = True
    operation.platform.lease = (renew_at, life_s) if flags & _HAS_LEASE else None
    # The application may sleep again at once: it is held until what is due has been asked.
    operation.asks_first = operation.is_held = contact.is_due()


def _restore_nonce(journal, nonce, flags):
    try:
        nonce = nonce.decode()
    except UnicodeError:  # another firmware's
        return
    if nonce:
        journal.nonce = nonce
        journal.is_newest = bool(flags & _IS_NEWEST)


def _crc(block, config):
    whose = "%d %s" % (config["version"], config["platform"]["originator"])
    return binascii.crc32(block, binascii.crc32(whose.encode())).to_bytes(4, "little")
