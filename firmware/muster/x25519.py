# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# X25519 (RFC 7748) by the Montgomery ladder, in slices that let the event loop run.
#
# Limits: no branch depends on the scalar, and the swap is an index into a pair; but the big
# integers below it take time that depends on their values, as Python's do everywhere. That is
# why a scalar here lives for one exchange only.

import asyncio

from micropython import const

_SLICE = const(15)  # steps between yields: 0.5 ms on a PC, some 10 ms on an ESP32


# Multiplies a 32-byte scalar by a 32-byte u-coordinate. b"\x09" and 31 zeros as u makes the public
# key. Raises ValueError if the product is all zero, which only a point of small order gives.
async def x25519(scalar, u):
    p = (1 << 255) - 19
    bits = bytearray(scalar)
    bits[0] &= 248
    bits[31] = bits[31] & 127 | 64
    x1 = (int.from_bytes(u, "little") & ((1 << 255) - 1)) % p
    xs = [1, x1]
    zs = [0, 1]
    last = 0
    for t in range(254, -1, -1):
        bit = bits[t >> 3] >> (t & 7) & 1
        last ^= bit
        # Sums and differences stay unreduced: a product reduces them at half the garbage.
        a = xs[last] + zs[last]
        b = xs[last] - zs[last]
        c = xs[last ^ 1] + zs[last ^ 1]
        d = xs[last ^ 1] - zs[last ^ 1]
        last = bit
        d = d * a % p
        c = c * b % p
        e = d + c
        xs[1] = e * e % p
        e = d - c
        zs[1] = e * e * x1 % p
        a = a * a % p
        b = b * b % p
        c = a - b
        xs[0] = a * b % p
        zs[0] = (a + 121665 * c) * c % p
        if not t % _SLICE:
            await asyncio.sleep_ms(0)
    out = xs[last] * pow(zs[last], p - 2, p) % p
    if not out:
        raise ValueError("x25519: the other side's key is of small order")
    return out.to_bytes(32, "little")
