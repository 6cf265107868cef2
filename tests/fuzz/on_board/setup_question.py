# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Questions that a guest of the setup network asks its DNS.

from mutation import changed_bytes, some

from muster.setup_names import answer

ROOM = 8192
_OWN = b"\xc0\xa8\x04\x01"
_HEAD = b"\x12\x34\1\0\0\1\0\0\0\0\0\0"
SEEDS = [
    _HEAD + b"\x07captive\x05apple\x03com\0\0\1\0\1",
    _HEAD + b"\x03www\x06google\x03com\0\0\x41\0\1",
    _HEAD + b"\0\0\xff\0\1",
    _HEAD[:11] + b"\1\x01a\0\0\1\0\1\0\0\x29\x04\xd0\0\0\0\0\0\0",
]
_WORDS = [b"\0", b"\0\0\1\0\1", b"\xc0\x0c", b"\x3f" + b"x" * 63, b"\0\x1c\0\1", b"\x81\x80"]


def make(corpus):
    return changed_bytes(some(corpus), some(corpus), _WORDS)


def play(data):
    found = answer(data, _OWN)
    if found is None:
        return None
    if found[:2] != data[:2] or not found[2] & 0x80:
        return "no answer to that question"
    if len(found) > len(data) + 16:
        return "%d bytes asked, %d answered" % (len(data), len(found))
    return None
