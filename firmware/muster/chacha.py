# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The AEAD ChaCha20-Poly1305 (RFC 8439), in place and in slices that let the event loop run.
#
# On 32-bit boards a small integer has 31 bits and anything larger is an object on the heap. So
# ChaCha's words are kept as 16-bit halves and Poly1305's as ten limbs of 13 bits, whose sums of
# products stay below 2**30: nothing in the inner loops allocates.

import asyncio

from micropython import const

_MASK = const(0xFFFF)
_LIMB = const(0x1FFF)
_SLICE = const(256)  # bytes between yields: 0.6 ms on a PC, some 12 ms on an ESP32

# Columns, then diagonals.
_QUARTERS = (
    (0, 4, 8, 12),
    (1, 5, 9, 13),
    (2, 6, 10, 14),
    (3, 7, 11, 15),
    (0, 5, 10, 15),
    (1, 6, 11, 12),
    (2, 7, 8, 13),
    (3, 4, 9, 14),
)


# The key stream of one key and nonce: block(counter) renews out, 64 bytes.
class ChaCha:
    def __init__(self, key, nonce):
        words = b"expand 32-byte k" + key + bytes(4) + nonce
        self._low = [words[i] | words[i + 1] << 8 for i in range(0, 64, 4)]
        self._high = [words[i] | words[i + 1] << 8 for i in range(2, 64, 4)]
        self._x = [0] * 16
        self._y = [0] * 16
        self.out = bytearray(64)

    def block(self, counter):
        low = self._low
        high = self._high
        x = self._x
        y = self._y
        low[12] = counter & _MASK
        high[12] = counter >> 16
        for i in range(16):
            x[i] = low[i]
            y[i] = high[i]
        for _ in range(10):
            for i, j, k, m in _QUARTERS:
                al = x[i]
                bl = x[j]
                cl = x[k]
                ah = y[i]
                bh = y[j]
                ch = y[k]
                al += bl
                ah = ah + bh + (al >> 16) & _MASK
                al &= _MASK
                dl = y[m] ^ ah  # rotated by 16: the halves change places
                dh = x[m] ^ al
                cl += dl
                ch = ch + dh + (cl >> 16) & _MASK
                cl &= _MASK
                bl ^= cl
                bh ^= ch
                t = bl << 12 & _MASK | bh >> 4
                bh = bh << 12 & _MASK | bl >> 4
                bl = t
                al += bl
                ah = ah + bh + (al >> 16) & _MASK
                al &= _MASK
                dl ^= al
                dh ^= ah
                t = dl << 8 & _MASK | dh >> 8
                dh = dh << 8 & _MASK | dl >> 8
                dl = t
                cl += dl
                ch = ch + dh + (cl >> 16) & _MASK
                cl &= _MASK
                bl ^= cl
                bh ^= ch
                x[i] = al
                y[i] = ah
                x[j] = bl << 7 & _MASK | bh >> 9
                y[j] = bh << 7 & _MASK | bl >> 9
                x[k] = cl
                y[k] = ch
                x[m] = dl
                y[m] = dh
        out = self.out
        k = 0
        for i in range(16):
            t = x[i] + low[i]
            m = y[i] + high[i] + (t >> 16)
            out[k] = t & 255
            out[k + 1] = t >> 8 & 255
            out[k + 2] = m & 255
            out[k + 3] = m >> 8 & 255
            k += 4


# The 13-bit limbs of a 16-byte block that begins at i; the last one has 11 bits.
def _limbs(data, i, out):
    for n in range(9):
        k = i + (13 * n >> 3)
        out[n] = (data[k] | data[k + 1] << 8 | data[k + 2] << 16) >> (13 * n & 7) & _LIMB
    out[9] = (data[i + 14] | data[i + 15] << 8) >> 5


# Takes whole blocks of 16 bytes, which is all the AEAD needs. The limbs of the sum are kept
# uncarried (< 2**30) between blocks.
class Poly1305:
    def __init__(self, key):
        r = bytearray(key[:16])
        for i in range(3, 16, 4):
            r[i] &= 15
        for i in range(4, 16, 4):
            r[i] &= 252
        self._r = [0] * 10
        self._sum = [0] * 10
        self._block = [0] * 10
        self._s = key[16:32]
        _limbs(r, 0, self._r)

    # top is the bit that ends a block: 0 only for a last block that brings its own.
    def update(self, data, start, end, top=2048):
        r0, r1, r2, r3, r4, r5, r6, r7, r8, r9 = self._r
        total = self._sum
        h = self._block
        while start < end:
            _limbs(data, start, h)
            h[9] += top
            self._carry(h)
            a0 = a1 = a2 = a3 = a4 = a5 = a6 = a7 = a8 = a9 = 0
            for n in range(9, -1, -1):
                # total = total * 2**13 + h[n] * r; 2**130 is 5.
                m = h[n]
                t = a9
                a9 = a8 + m * r9
                a8 = a7 + m * r8
                a7 = a6 + m * r7
                a6 = a5 + m * r6
                a5 = a4 + m * r5
                a4 = a3 + m * r4
                a3 = a2 + m * r3
                a2 = a1 + m * r2
                a1 = a0 + m * r1 + 5 * (t >> 13)
                a0 = m * r0 + 5 * (t & _LIMB)
            total[0] = a0
            total[1] = a1
            total[2] = a2
            total[3] = a3
            total[4] = a4
            total[5] = a5
            total[6] = a6
            total[7] = a7
            total[8] = a8
            total[9] = a9
            start += 16

    # Adds the sum to h and brings h back to 13 bits, h[1] a little more.
    def _carry(self, h):
        total = self._sum
        c = 0
        for n in range(10):
            c += total[n] + h[n]
            h[n] = c & _LIMB
            c >>= 13
        c = h[0] + 5 * c
        h[0] = c & _LIMB
        h[1] += c >> 13

    def tag(self):
        total = 0
        for n in range(9, -1, -1):
            total = (total << 13) + self._sum[n]
        total = total % ((1 << 130) - 5) + int.from_bytes(self._s, "little")
        return (total & ((1 << 128) - 1)).to_bytes(16, "little")


async def _crypt(stream, data, size):
    for i in range(0, size, 64):
        stream.block(1 + (i >> 6))
        out = stream.out
        for k in range(min(64, size - i)):
            data[i + k] ^= out[k]
        if not (i + 64) % _SLICE:
            await asyncio.sleep_ms(0)


async def _tag(stream, aad, data, size):
    stream.block(0)
    poly = Poly1305(stream.out)
    for part, length in ((aad, len(aad)), (data, size)):
        whole = length & ~15
        for i in range(0, whole, 2 * _SLICE):
            poly.update(part, i, min(i + 2 * _SLICE, whole))
            await asyncio.sleep_ms(0)
        if whole < length:
            last = bytearray(16)
            last[: length - whole] = part[whole:length]
            poly.update(last, 0, 16)
    poly.update(len(aad).to_bytes(8, "little") + size.to_bytes(8, "little"), 0, 16)
    return poly.tag()


# Encrypts all of data (bytearray or memoryview) but its last 16 bytes, which take the tag.
async def seal(key, nonce, aad, data):
    stream = ChaCha(key, nonce)
    size = len(data) - 16
    await _crypt(stream, data, size)
    data[size:] = await _tag(stream, aad, data, size)


# Decrypts what seal() has made. Raises ValueError, and leaves data untouched, if the tag in the
# last 16 bytes is not right.
async def unseal(key, nonce, aad, data):
    stream = ChaCha(key, nonce)
    size = len(data) - 16
    if size < 0:
        raise ValueError("sealed data has %d bytes, its tag alone needs 16" % len(data))
    wrong = 0
    i = size
    for byte in await _tag(stream, aad, data, size):
        wrong |= byte ^ data[i]
        i += 1
    if wrong:
        raise ValueError("sealed data does not authenticate: other key, or it was changed")
    await _crypt(stream, data, size)
