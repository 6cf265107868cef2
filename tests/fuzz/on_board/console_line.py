# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What is typed at the console, or comes over it as frames, one byte after the other.

from binascii import crc32

import goldens
from lives import begin
from mutation import chance, changed_bytes, some
from stand_ins import Files, drive

from muster import console, inbox
from muster.clock import Clock
from muster.label import Label

ROOM = 3 << 20  # garbage: a coroutine for each byte
_CASE = [case for case in goldens.cases("bundles") if case["device_id"] == "PRESS-4"][0]
_LABEL = Label("PRESS-4", bytes.fromhex(_CASE["secret_hex"]))
_TEXT = _CASE["bundle"].encode()
_WORDS = [b"~M> ", b"\n", b"\r", b" ", b"\x03", b"begin", b"data 0 ", b"end", b"status", b"\xff"]
console.print = lambda *words: None


def _frame(body):
    return b"~M> %s %08x\n" % (body, crc32(body))


def _bodies():
    bodies = [b"1 status", b"2 begin"]
    for at in range(0, len(_TEXT), 96):
        bodies.append(b"3 data %d %s" % (at, _TEXT[at : at + 96]))
    end = b"4 end %d %08x" % (len(_TEXT), crc32(_TEXT))
    return bodies + [end, end, b"5 detail 0", b"6 status"]


_BODIES = _bodies()
SEEDS = [
    b"".join([_frame(body) for body in _BODIES]),
    b"".join([_frame(body) for body in _BODIES[:3]]) + b"print(1)\r\n\x03",
    _frame(b"1 begin") + _frame(b"2 data 5 x") + _frame(b"3 end 0 00000000"),
    b"x" * 300 + _frame(b"1 status"),
]


def make(corpus):
    if chance(2):
        return changed_bytes(some(corpus), some(corpus), _WORDS)
    bodies = list(_BODIES)
    for _ in range(1 + len(bodies) // 8):
        at = bodies.index(some(bodies))
        bodies[at] = changed_bytes(bodies[at], some(bodies), _WORDS)[:200]
    return b"".join([_frame(body) for body in bodies])


class _Store:
    def __init__(self):
        self.records = {}

    def load(self, name):
        return self.records.get(name)

    def save(self, name, value):
        self.records[name] = value


class _Button:
    def tell(self, kind):
        pass


def play(data):
    files = Files()
    inbox.open, inbox.os = files.open, files
    store = _Store()
    journal = begin(None, "soft")[1]
    clock = Clock(lambda date: None, 1795000000, 0, lambda floor: None)
    talk = console._Conversation(_LABEL, store, journal, clock, _Button())
    try:
        for byte in data:
            drive(talk.hear(byte))
            if len(talk._line) > 256:
                return "a line without an end is kept"
    except KeyboardInterrupt:
        pass
    talk.close()
    for path in files.files:
        if path not in ("/serial.part", "/PRESS-4.serial.muster") or len(files.files[path]) > 6144:
            return "left behind: %s" % path
    return None
