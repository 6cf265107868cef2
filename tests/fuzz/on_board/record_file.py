# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Both generations of a record, torn, rotten, or of another firmware, and who reads them at start.

import struct
from binascii import crc32

import goldens
from lives import begin
from mutation import chance, changed_bytes, changed_json, some
from stand_ins import Files

from muster import candidate, records
from muster.backoff import SecondTry
from muster.clock import Clock
from muster.errors import DeviceError
from muster.report import write

ROOM = 2 << 20  # garbage of a record of 9 KB, read and measured again and again
_NAMES = ("journal", "committed", "candidate")
_WORDS = [b"MUS1", b"\0\0\0\0", b"\xff\xff\xff\xff", b"null", b"[", b"{", b'"']
_JOURNAL = {
    "highest": 7, "nonce": "n",
    "last": {"config": 8, "step": 8, "code": "wifi_auth", "detail": "x"},
    "trial": [8, 9], "streak": [8, 2], "clock": 1795000000,
}  # fmt: skip


def _sealed(generation, payload):
    head = struct.pack("<4sII", b"MUS1", generation, len(payload))
    return head + struct.pack("<I", crc32(head, crc32(payload))) + payload


# An input: the record's name, the length of the first file, then both.
def _both(name, first, second):
    return bytes([name]) + struct.pack("<H", len(first)) + first + second


def _good(name):
    return _JOURNAL if name == 0 else some(_CONFIGS)


_CONFIGS = [case["value"] for case in goldens.cases("configurations") if case["name"] == "small"]
SEEDS = [
    _both(name, _sealed(2, goldens.json_bytes(value)), _sealed(3, goldens.json_bytes(value)))
    for name, value in ((0, _JOURNAL), (1, _CONFIGS[0]), (2, _CONFIGS[0]))
]


def make(corpus):
    if chance(2):
        return changed_bytes(some(corpus), some(corpus), _WORDS)
    # The checksum is right. A journal may then still be another firmware's; a configuration was
    # checked before it was stored.
    name = 0 if chance(2) else 1 if chance(2) else 2
    payload = (
        changed_json(_JOURNAL, b"{}", _WORDS) if name == 0 else goldens.json_bytes(_good(name))
    )
    return _both(name, _sealed(4, payload), b"" if chance(2) else _sealed(5, payload)[:-1])


def play(data):
    name = _NAMES[data[0] % 3] if data else "journal"
    size = struct.unpack("<H", data[1:3])[0] if len(data) > 2 else 0
    files = Files()
    records.open, records.os = files.open, files
    files.files["/s/%s.0" % name] = bytes(data[3 : 3 + size])
    files.files["/s/%s.1" % name] = bytes(data[3 + size :])
    try:
        return _read(name, files)
    except DeviceError as e:
        return None if e.code == "storage_failed" else "not well: %r" % e


_count = [0]


class _Store:
    def load(self, name):
        return records.load("/s", name)

    def save(self, name, value):
        records.save("/s", name, value)

    def erase(self, name):
        records.erase("/s", name)

    def promote(self, source, target):
        return records.promote("/s", source, target)

    def count(self, name):
        return records.count("/s", name)

    def spoil(self):  # that is erasing.py's
        pass


def _read(name, files):
    store = _Store()
    if name == "journal":
        _remember(store)
    else:
        store.load(name)
    _count[0] += 1
    if _count[0] & 7:  # what follows takes long, and depends less on the input
        return None
    value = store.load(name)
    timeline, journal, former = begin(store, "watchdog")
    candidate.wake(store, journal, timeline, former)
    if value is not None and store.load(name) != value and name == "committed":
        return "what was committed has changed"
    store.save(name, {"new": 1})
    if store.load(name) != {"new": 1}:
        return "what was saved is not there"
    store.erase(name)
    if [path for path in files.files if name in path]:
        return "something is left: %s" % list(files.files)
    return None


# All that a journal is asked for at the start.
def _remember(store):
    _, journal, _ = begin(store, "soft")
    Clock(lambda date: None, 1795000000, journal.clock, journal.keep_clock)
    SecondTry(journal)
    write(journal, [], "blank", "246f28aabbcc", [0, 0])
