# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# A bundle: as text that anybody may bring, and as content that somebody with the label has sealed.

import json
from binascii import b2a_base64
from hashlib import sha256

import goldens
from cryptolib import aes
from lives import begin
from mutation import chance, changed_bytes, changed_json, some

from muster import delivery, receipt
from muster.bundle import check, label_key, unseal
from muster.clock import Clock
from muster.errors import DeviceError
from muster.hkdf import hmac_sha256
from muster.label import Label

ROOM = 640 << 10
_CASES = [case for case in goldens.cases("bundles") if case["device_id"] == "PRESS-4"]
_LABEL = Label("PRESS-4", bytes.fromhex(_CASES[0]["secret_hex"]))
_CONTENTS = [case["plaintext"].encode() for case in _CASES if case.get("plaintext")]
_HEADER = {"alg": "dir", "enc": "A128CBC-HS256", "kid": "PRESS-4"}
_WORDS = [b".", b"..", b"=", b"-", b"_", b"eyJ", b" ", b"\n", b"\0"]
_IN_JSON = [b",", b'"', b"null", b"[", b"]", b"{", b"}", b"1e5"]
SEEDS = [case["bundle"].encode() for case in _CASES]


def _encoded(raw):
    text = b2a_base64(raw)[:-1].rstrip(b"=")
    return text.replace(b"+", b"-").replace(b"/", b"_")


# As a host would seal it for this label; what is in it may be anything.
def _sealed(content, header):
    missing = 16 - len(content) % 16
    key, vector = label_key(_LABEL, b"bundle-key"), bytes(16)
    ciphertext = aes(key[16:], 2, vector).encrypt(content + bytes((missing,)) * missing)
    head = _encoded(header)
    row = head + vector + ciphertext + (len(head) * 8).to_bytes(8, "big")
    tag = hmac_sha256(key[:16], row)[:16]
    return b".".join((head, b"", _encoded(vector), _encoded(ciphertext), _encoded(tag)))


def make(corpus):
    if chance(2):
        return changed_bytes(some(corpus), some(corpus), _WORDS)
    try:
        content = json.loads(some(_CONTENTS))
    except ValueError:
        content = {}
    header = json.dumps(_HEADER).encode()
    if chance(8):
        header = changed_json(_HEADER, header, _IN_JSON)
    return _sealed(changed_json(content, some(_CONTENTS), _IN_JSON)[:4500], header)


def play(data):
    text = bytearray(b"".join(bytes(data).split()))
    digest = sha256(text).digest()
    try:
        content = unseal(text, _LABEL)
        delivery._version_in(content)
        time, config = check(content, 1795400060 if len(data) & 1 else None)
    except DeviceError as e:
        known = ("config_invalid", "server_untrusted")
        return None if e.code in known and len(e.detail) < 9000 else "not well: %r" % e
    clock = Clock(lambda date: None, 1795000000, 0, lambda floor: None)
    delivery.not_before(clock, time)
    journal = begin(None, "soft")[1]
    if config["version"] <= journal.highest:
        return "not newer, and taken"
    shown = receipt.receipt(_LABEL, config["version"], "ok", digest)
    return None if len(shown) == 8 else "no receipt: %r" % shown
