# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Networks in the air, which call themselves what they like: as the driver tells of them.

from lives import begin
from mutation import chance, changed_bytes, some

from muster.radio import printable
from muster.report import write
from muster.scanning import networks, scan

ROOM = 256 << 10
_MOST = 200  # networks; more than a driver has room for
_WORDS = [b"MUSTER-", b"\0", b"\xff\xfe", b"\r\n", b"M 1 I step 9 ok", b"\\x00", b"%s", b'"}']
# An input: networks one after the other, each length of its name, name, channel, rssi, auth.
SEEDS = [
    b"\x0bMUSTER-demo\x06\x30\0\x07factory\x0b\x37\x03",
    b"\0\x01\x20\x05" + b"\x20" + bytes(range(32)) + b"\x0e\x5a\x04" + b"\x04caf\xe9\x01\x01\x01",
]


def make(corpus):
    data = changed_bytes(some(corpus), some(corpus), _WORDS)
    return data * 20 if chance(20) else data


class _WLAN:
    def __init__(self, data):
        self._data = data

    def scan(self):
        found, at = [], 0
        while at < len(self._data) and len(found) < _MOST:
            size = self._data[at] & 31
            end = at + 1 + size
            ssid, rest = self._data[at + 1 : end], self._data[end : end + 3]
            at += size + 4
            if len(rest) == 3:
                found.append((ssid, b"123456", rest[0], -rest[1], rest[2], False))
        return found


def play(data):
    seen = networks(scan(_WLAN(bytes(data))), 8)
    if len({entry[0] for entry in seen}) != len(seen):
        return "a network twice"
    for entry in seen:
        shown = printable(entry[0])
        if "\n" in shown or "\r" in shown or len(shown.encode()) != len(shown):
            return "not printable: %r" % shown
    text = write(begin(None, "soft")[1], seen, "blank", "246f28aabbcc", [94256, 53248])
    return "a report of %d bytes" % len(text) if len(text) > 1200 else None
