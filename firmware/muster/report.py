# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What the device says of itself in step 5. Loaded when needed.

import binascii
import gc
import sys

from .compact import dumps
from .timeline import HEAD


# Writes the report as compact JSON. It can be read later by whoever learns the key, so it holds no
# credential. seen: the networks of a scan (scanning.py); state: "blank", "trial" or "committed".
# chip, idf_heap: as hardware.py tells them. local: see local_wifi.py.
def write(journal, seen, state, chip, idf_heap, local=None):
    document = {
        "v": 1,
        "echo": journal.nonce,
        "config": journal.highest,
        "state": state,
        "model": journal.model,
        "board": journal.board,
        "firmware": journal.firmware,
        "micropython": ".".join([str(n) for n in sys.implementation.version[:3]]),
        "reset_cause": journal.reset_cause,
        "hw": chip,
        # What the port calls free includes the largest block that it could still take from
        # ESP-IDF, which is told beside it; nothing tells the largest piece.
        "heap": [[gc.mem_alloc(), gc.mem_free()], idf_heap],
        "scan": [[_base64url(s[0]), s[1], s[2], s[3]] for s in seen],
        "last": journal.last,
        "timeline": entries(journal.timeline),
    }
    if local is not None:
        document["local"] = local
    return dumps(document)


# Writes the timeline alone, for the platform.
def told(journal):
    return dumps({"timeline": entries(journal.timeline)})


# Writes bytes as base64url: SSIDs need not be text.
def _base64url(raw):
    text = binascii.b2a_base64(raw)[:-1].decode()
    return text.replace("+", "-").replace("/", "_").rstrip("=")


# Returns a timeline as it is sent, e.g. [[3, "ok", 212], [4, "wifi_auth", 5020]].
def entries(timeline):
    found = []
    for line in timeline.record[HEAD:].decode().split("\n")[:-1]:
        step, code, ms = line.split(" ")[:3]
        found.append([int(step), code, int(ms)])
    return found
