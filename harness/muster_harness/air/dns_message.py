# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The little of DNS messages (RFC 1035, 4.1) that the air needs: a question, and addresses."""

import os
import socket
import struct

TYPE_A = 1
_CLASS_IN = 1
_RECURSION_DESIRED = 0x0100


def question(name: str, identity: bytes | None = None, flags: int = _RECURSION_DESIRED) -> bytes:
    """A query for the A record of a name."""
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.rstrip(".").split("."))
    head = (identity or os.urandom(2)) + struct.pack(">5H", flags, 1, 0, 0, 0)
    return head + labels + b"\0" + struct.pack(">2H", TYPE_A, _CLASS_IN)


def address_in(message: bytes) -> str | None:
    """The first A record of an answer."""
    return next(iter(addresses_in(message)), None)


def addresses_in(message: bytes) -> list[str]:
    """The A records of a message; none if it is malformed."""
    try:
        counts = struct.unpack(">4H", message[4:12])
        at = 12
        for _ in range(counts[0]):
            at = _after_name(message, at) + 4
        found = []
        for _ in range(sum(counts[1:])):
            at = _after_name(message, at)
            kind, _, _, length = struct.unpack(">2HIH", message[at : at + 10])
            at += 10
            if kind == TYPE_A and length == 4:
                found.append(socket.inet_ntoa(message[at : at + 4]))
            at += length
    except (struct.error, IndexError, OSError):
        return []
    return found


def _after_name(message: bytes, at: int) -> int:
    while True:
        length = message[at]
        if length & 0xC0 == 0xC0:
            return at + 2
        at += 1 + length
        if length == 0:
            return at
