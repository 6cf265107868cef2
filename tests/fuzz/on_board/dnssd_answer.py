# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Datagrams on the onboarding network that pass for answers to our query.

import json

from mutation import changed_bytes, some

from muster.dnssd import parse

ROOM = 96 << 10
_FILE = __file__.rpartition("/")[0] + "/../../firmware/on_board/dnssd_answers.json"
_WORDS = [
    b"\x07_muster\x04_tcp\x05local\0", b"\xc0\x0c", b"\xc0\x00", b"\xc0\xff", b"\0\x0c\0\1",
    b"\0\x21\0\1", b"\0\x10\0\1", b"\0\1\0\1", b"\0\4\xc0\xa8\4\2", b"\xff\xff", b"\x3f",
]  # fmt: skip


def _seeds():
    with open(_FILE) as f:
        return [bytes.fromhex(case["packet_hex"]) for case in json.load(f)["cases"]]


SEEDS = _seeds()


def make(corpus):
    return changed_bytes(some(corpus), some(corpus), _WORDS)[:1472]


def play(data):
    try:
        found = parse(data, bytes(data[:2]), lambda address: address.startswith("192.168."))
    except ValueError:
        return None
    if len(found) > 4:
        return "more than four servers"
    for name, address, port, texts in found:
        if not 0 < port < 65536 or not address.startswith("192.168.") or len(name) > 255:
            return "no server: %s %s" % (address, port)
        if not isinstance(texts, dict):
            return "no texts"
    return None
