# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What the platform answers to a registration and to its renewal: response code and body.

import json

from mutation import chance, changed_bytes, changed_json, some
from stand_ins import drive, peer

from muster.errors import DeviceError
from muster.platform import Platform
from muster.registered import renew

ROOM = 512 << 10
_LARGEST = 4096
_SETTINGS = {
    "url": "http://10.0.0.1:8422", "cse": "cse-in", "originator": "Cabc", "api": "Nx", "rvi": "4",
    "token": "t",
}  # fmt: skip
_AE = {"m2m:ae": {"ri": "Cabc", "api": "Nx", "lbl": ["muster:PRESS-4"], "lt": "20261123T075904,01",
                  "et": "20271123T075904", "ct": "20261123T075904"}}  # fmt: skip
_CODES = ("2001", "4117", "4105", "2000", "2004", "4004", "HTTP 200", "")
_WORDS = [b",", b'"', b"null", b"[", b"]", b"{", b"T", b"20261123T075904", b"+1", b" 1", b"-"]
# An input: which code, then the body.
SEEDS = [bytes([n]) + json.dumps(_AE).encode() for n in range(len(_CODES))]


def make(corpus):
    data = some(corpus)
    try:
        document = json.loads(data[1:])
    except ValueError:
        document = _AE
    body = changed_json(document, some(corpus), _WORDS)
    if chance(4):
        body = changed_bytes(body, some(corpus), _WORDS)
    code = some(list(range(len(_CODES)))) if chance(4) else data[0] if data else 0
    return bytes([code]) + body[:_LARGEST]


class _Asked(Platform):
    renewals = 0

    async def request(self, method, path, kind=None, body=None):
        self.renewals += method == "PUT"
        if kind == 3:
            return "2001", b""
        return "2000" if method == "GET" else self.code, self.answer


def play(data):
    platform = _Asked(_SETTINGS, "PRESS-4", peer, "")
    platform.code = _CODES[data[0] % len(_CODES)] if data else ""
    platform.answer = bytearray(data[1:])
    try:
        drive(platform.register())
        # A platform says how often a device comes back, but not more than once a minute; after a
        # refusal the device's own back-off decides.
        for second in range(0, 100, 10):
            drive(renew(platform, 3000000000 + second))
    except DeviceError as e:
        # What cannot be read may have been changed on its way, and is asked for again.
        known = ("platform_refused", "platform_conflict", "platform_unreachable")
        return None if e.code in known and len(str(e)) < 300 else "not well: %r" % e
    return "renews all the time" if platform.renewals > 2 else None
