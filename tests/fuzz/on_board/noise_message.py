# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Message 2 of a handshake. A product on the curve takes 6 ms in Python, so one input in 128
# takes it, and for the others a hash stands in its place; everything else is as it is.

from hashlib import sha256

import goldens
from mutation import changed_bytes, some
from stand_ins import drive

import muster.x25519 as curve
from muster.errors import DeviceError
from muster.noise import Initiator

ROOM = 3 << 20  # nearly all of it garbage of the curve: products of 255 bits
_REAL = curve.x25519
_CURVE_EVERY = 128
_WORDS = [
    bytes(32),
    b"\xff" * 32,
    b"\x01" + bytes(31),
    b"\xed" + b"\xff" * 30 + b"\x7f",
    bytes(16),
]
_PSK = bytes(range(32))
_EPHEMERAL = bytes(range(32, 64))
_count = [0]


async def _quick(scalar, point):
    if bytes(point) == bytes(32):
        raise ValueError("a point of small order")
    return sha256(bytes(scalar) + bytes(point)).digest()


def _seeds():
    messages = [
        case["message_2_hex"] for case in goldens.cases("exchanges") if "message_2_hex" in case
    ]
    messages = [bytes.fromhex(text) for text in messages]
    return [message[:48] + message[-40:] for message in messages] + messages[:2] + [bytes(48)]


SEEDS = _seeds()


def make(corpus):
    return changed_bytes(some(corpus), some(corpus), _WORDS)


# A side that has sent its message, as it was made by either curve.
def _sent(multiply):
    curve.x25519 = multiply
    side = Initiator(_PSK, b"muster/1/PRESS-4/label", _EPHEMERAL)
    drive(side.write(b""))
    return side._chain, side.hash


_SENT = {_quick: _sent(_quick), _REAL: _sent(_REAL)}


def play(data):
    _count[0] += 1
    curve.x25519 = _quick if _count[0] % _CURVE_EVERY else _REAL
    side = Initiator(_PSK, b"", _EPHEMERAL)
    side._chain, side.hash = _SENT[curve.x25519]
    try:
        drive(side.read(bytearray(data)))
    except DeviceError as e:
        if len(data) >= 48 and (side._ephemeral is not None or side._chain is not None):
            return "keys are kept"
        return None if e.code == "server_untrusted" else "not said well: %r" % e
    return "a message that nobody sealed was opened"
