# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# A bundle: the configuration sealed for this device, a JWE (RFC 7516) in compact form with "dir"
# and A128CBC-HS256 (RFC 7518 section 5.2). All happens in the one buffer that the text came in.

import binascii
import json

from micropython import const

from .errors import DeviceError
from .hkdf import hkdf, hmac_sha256
from .inbox import LONGEST

_PIECE = const(64)  # characters that are decoded at once: a whole number of bytes
_BLOCK = const(16)
_EARLIEST = const(946684800)  # where the ESP32 starts to count
_LATEST = const(4294967295)  # in 2106, as in a directive


# Derives the key of this purpose, e.g. b"bundle-key", from the label.
def label_key(label, purpose):
    return hkdf(b"muster/1", label.secret, purpose + b"\x00" + label.device_id.encode(), 32)


# Opens a bundle and returns its content as what JSON makes of it. text: a bytearray without white
# space, which is used up. label: whose bundle it has to be. Raises DeviceError, which says which
# part is wrong; docs/protocol.md lists the parts in this order.
def unseal(text, label):
    if len(text) > LONGEST:
        raise _invalid("longer than %d characters" % LONGEST)
    head, key_end, start, end = _dots(text)
    view = memoryview(text)
    _check_header(_decoded(bytes(view[:head])), label.device_id)
    if key_end != head + 1:
        raise _invalid("there is no key to be encrypted in it")
    vector = _decoded(bytes(view[start - 22 : start])) if start - key_end == 23 else b""
    tag = _decoded(bytes(view[end + 1 :])) if len(text) - end == 23 else b""
    if len(vector) != _BLOCK or len(tag) != _BLOCK:
        raise _invalid("its vector and its tag have 16 bytes each; is it cut off?")
    # What the tag is made of lies in one row: header, vector, ciphertext, length of the header.
    view[head : head + _BLOCK] = vector
    first = head + _BLOCK
    last = _decode_down(view, start + 1, end, first)
    if last == first or (last - first) % _BLOCK:
        raise _invalid("its ciphertext is no whole number of blocks; is it cut off?")
    view[last : last + 8] = (head * 8).to_bytes(8, "big")
    key = label_key(label, b"bundle-key")
    if not _is_same(hmac_sha256(key[:16], view[: last + 8])[:_BLOCK], tag):
        raise DeviceError("server_untrusted", "tag: made for another label, or damaged on its way")
    return _decrypted(key[16:], vector, view[first:last])


def _dots(text):
    found = [text.find(b".")]
    while found[-1] >= 0:
        found.append(text.find(b".", found[-1] + 1))
    if len(found) != 5:
        raise _invalid("not the five parts of a bundle")
    return found[:4]


# Compares in constant time: it looks at every byte whatever the first ones are.
def _is_same(mine, theirs):
    difference = 0
    for i in range(_BLOCK):
        difference |= mine[i] ^ theirs[i]
    return difference == 0


def _check_header(raw, device_id):
    try:
        header = json.loads(raw)
    except ValueError:
        header = None
    # Nothing else may decide how it is opened: "none", RSA and compression end here.
    if not isinstance(header, dict) or len(header) != 3 or not isinstance(header.get("kid"), str):
        raise DeviceError("config_invalid", "header: wanted alg, enc and kid and no more")
    if header.get("alg") != "dir" or header.get("enc") != "A128CBC-HS256":
        raise DeviceError("config_invalid", "header: wanted alg dir and enc A128CBC-HS256")
    if header["kid"] != device_id:
        text = "kid: this device is %s, the bundle is for another" % device_id
        raise DeviceError("server_untrusted", text)


# Moves the ciphertext down while it is decoded; it never overtakes what is still to be read.
# Returns where it ends.
def _decode_down(view, at, end, to):
    while at < end:
        piece = _decoded(bytes(view[at : min(at + _PIECE, end)]))
        view[to : to + len(piece)] = piece
        to += len(piece)
        at += _PIECE
    return to


# Decodes base64url strictly: MicroPython's decoder passes over what it does not know, so encode
# and compare.
def _decoded(text):
    try:
        padded = text.replace(b"-", b"+").replace(b"_", b"/") + b"==="[: -len(text) % 4]
        raw = binascii.a2b_base64(padded)
    except ValueError:
        raise _invalid("not base64url; is it cut off?")
    again = binascii.b2a_base64(raw)[:-1].rstrip(b"=")
    if again.replace(b"+", b"-").replace(b"/", b"_") != text:
        raise _invalid("not canonical base64url")
    return raw


# Puts the plaintext where the ciphertext was, and returns what JSON makes of it.
def _decrypted(key, vector, view):
    from cryptolib import aes

    aes(key, 2, vector).decrypt(view, view)
    size = len(view)
    missing = view[size - 1]
    if not 1 <= missing <= _BLOCK or bytes(view[size - missing :]) != bytes((missing,)) * missing:
        raise _invalid("its padding is wrong")
    try:
        return json.loads(view[: size - missing])
    except ValueError:
        raise _invalid("its content is not JSON")


# Checks the content and returns its (time, configuration). now: Unix time, or None as long as
# nobody has told it.
def check(content, now):
    from .configuration import check as check_configuration
    from .schema import Fields

    if not isinstance(content, dict):
        raise _invalid("its content is not an object")
    fields = Fields(content)
    if fields.take("v", int) != 1:
        raise fields.invalid("v", "only version 1 of the document is understood")
    time = fields.take("time", int, _EARLIEST, _LATEST)
    exp = fields.take("exp", int, _EARLIEST, _LATEST, nullable=True)
    if exp is not None and now is not None and exp < now:
        raise fields.invalid("exp", "expired %d s ago; ask for a new bundle" % (now - exp))
    return time, check_configuration(fields.take("config", dict))


def _invalid(text):
    return DeviceError("config_invalid", "bundle: %s" % text)
