# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The receipt: eight characters that prove, without a network, what became of a bundle.

from micropython import const

from .bundle import label_key
from .hkdf import hmac_sha256

_ALPHABET = const("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
_SIZE = const(8)

# Milliseconds of the LED's code: a flash, the dark between two, between two numbers, between two
# characters, and before the first. docs/offline.md shows how to read it.
_FLASH = const(200)
_DARK = const(300)
_NUMBER = const(900)
_CHARACTER = const(2000)
_BEGIN = const(2000)


# Makes the receipt. digest: SHA-256 of the bundle's text. code: "ok" once the version is
# committed.
def receipt(label, version, code, digest):
    message = b"\x00".join([b"receipt/1", str(version).encode(), code.encode(), digest])
    return base32(hmac_sha256(label_key(label, b"receipt-key"), message)[:5])


# Makes the passphrase of the setup network, as printed on the label.
def passphrase(label):
    return base32(label_key(label, b"setup-ap")[:10])


# Writes a whole number of 40 bits in base32.
def base32(raw):
    text = ""
    for i in range(0, len(raw), 5):
        bits = int.from_bytes(raw[i : i + 5], "big")
        text += "".join([_ALPHABET[bits >> shift & 31] for shift in range(35, -1, -5)])
    return text


# Returns milliseconds on, off, on, off, … for an LED: one long light, then for each character its
# row and its column in the table of docs/offline.md.
def blinks(text):
    pattern = [_BEGIN, _CHARACTER]
    for character in text:
        row, column = divmod(_ALPHABET.index(character), 8)
        pattern += [_FLASH, _DARK] * row + [_FLASH, _NUMBER]
        pattern += [_FLASH, _DARK] * column + [_FLASH, _CHARACTER]
    return pattern
