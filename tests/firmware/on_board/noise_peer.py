# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The device's side of many exchanges, driven by test_noise_agreement.py over stdin and stdout, a
# line of hexadecimal each: in key, prologue, payload; out message 1; in message 2; out payload
# and handshake hash.

import asyncio
import sys
from binascii import hexlify, unhexlify


def _show(*values):
    print(" ".join(hexlify(value).decode() or "-" for value in values))


def _read():
    return [unhexlify(word) if word != "-" else b"" for word in sys.stdin.readline().split()]


async def _exchange(psk, prologue, payload):
    from muster.noise import Initiator

    side = Initiator(psk, prologue)
    _show(await side.write(payload))
    answer = await side.read(bytearray(_read()[0]))
    _show(answer, side.hash)


def main():
    while True:
        words = _read()
        if not words:
            return
        asyncio.run(_exchange(*words))


sys.path.insert(0, sys.argv[1])
main()
