# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# HMAC (RFC 2104) and HKDF (RFC 5869) over SHA-256: MicroPython has the hash alone.

from hashlib import sha256


def hmac_sha256(key, message):
    if len(key) > 64:
        key = sha256(key).digest()
    inner = bytearray(b"\x36" * 64)
    outer = bytearray(b"\x5c" * 64)
    for i in range(len(key)):
        inner[i] ^= key[i]
        outer[i] ^= key[i]
    digest = sha256(inner)
    digest.update(message)
    outer.extend(digest.digest())
    return sha256(outer).digest()


# With an empty info this is the HKDF of the Noise framework too (its section 4.3).
def hkdf(salt, ikm, info, length):
    prk = hmac_sha256(salt, ikm)
    block = out = b""
    while len(out) < length:
        block = hmac_sha256(prk, block + info + bytes((len(out) // 32 + 1,)))
        out += block
    return out[:length]
