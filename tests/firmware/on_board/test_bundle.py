# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Bundles: RFC 7518's own vector, and the golden ones, good and bad. The 32-bit interpreter has no
# cryptolib: what comes before the decryption runs there too.

import hashlib
import json
from binascii import unhexlify

from runner import Skip, golden, raises

from muster import bundle
from muster.errors import DeviceError
from muster.hkdf import hmac_sha256
from muster.label import Label

# RFC 7518 appendix B.1
_KEY = bytes(range(32))
_PLAIN = (
    b"A cipher system must not be required to be secret, and it must be able to fall into the "
    b"hands of the enemy without inconvenience"
)
_VECTOR = unhexlify("1af38c2dc2b96ffdd86694092341bc04")
_ASSOCIATED = b"The second principle of Auguste Kerckhoffs"
_SEALED = unhexlify(
    "c80edfa32ddf39d5ef00c0b468834279a2e46a1b8049f792f76bfe54b903a9c9a94ac9b47ad2655c5f10f9aef71427e2"
    "fc6f9b3f399a221489f16362c703233609d45ac69864e3321cf82935ac4096c86e133314c54019e8ca7980dfa4b9cf1b"
    "384c486f3a54c51078158ee5d79de59fbd34d848b3d69550a67646344427ade54b8851ffb598f7f80074b9473c82e2db"
)
_TAG = unhexlify("652c3fa36b0a7c5b3219fab3a30bc1c4")


def _needs_aes():
    try:
        import cryptolib  # noqa: F401
    except ImportError:
        raise Skip(
            "the published 32-bit interpreter has no cryptolib; the 64-bit one plays this test"
        )


def test_rfc7518_b1_tag():
    size = (len(_ASSOCIATED) * 8).to_bytes(8, "big")
    made = hmac_sha256(_KEY[:16], _ASSOCIATED + _VECTOR + _SEALED + size)
    assert bundle._is_same(made[:16], _TAG)


def test_rfc7518_b1_plaintext():
    _needs_aes()
    import cryptolib

    content = bytearray(_SEALED)
    cryptolib.aes(_KEY[16:], 2, _VECTOR).decrypt(content, content)
    assert content == _PLAIN + bytes([16]) * 16


def _label(case):
    return Label(case["device_id"], unhexlify(case["secret_hex"]))


def _text(case):
    return bytearray(b"".join(case["bundle"].encode().split()))


# What the device does with a bundle, up to the candidate: (content, None) or (None, error).
def _tried(case):
    try:
        content = bundle.unseal(_text(case), _label(case))
        _, config = bundle.check(json.loads(json.dumps(content)), case["now"])
        if config["version"] <= case["highest"]:  # candidate.keep says so
            return None, DeviceError("config_not_newer", "config.version: not newer")
        return content, None
    except DeviceError as e:
        return None, e


def test_golden_bundles_are_judged_as_written():
    _needs_aes()
    surprises = []
    for case in golden("wire/bundles.json")["cases"]:
        content, error = _tried(case)
        if case["valid"]:
            if error or content != json.loads(case["plaintext"]):
                surprises.append((case["name"], str(error)))
        elif error is None:
            surprises.append((case["name"], "was accepted"))
        elif (error.code, error.detail.split(": ")[0]) != (case["code"], case["path"]):
            surprises.append((case["name"], str(error), case["code"], case["path"]))
    assert not surprises, surprises


def test_form_header_and_tag_are_judged_before_anything_is_decrypted():
    for case in golden("wire/bundles.json")["cases"]:
        if case.get("path") in ("header", "kid", "tag"):
            before = bundle._decrypted
            bundle._decrypted = None  # calling it would be another error
            try:
                error = raises(DeviceError, bundle.unseal, _text(case), _label(case))
            finally:
                bundle._decrypted = before
            assert error.detail.startswith(case["path"] + ": "), case["name"]


def test_every_byte_of_the_tag_counts():
    for i in range(16):
        changed = bytearray(_TAG)
        changed[i] ^= 128
        assert not bundle._is_same(_TAG, changed)


def test_an_error_never_repeats_the_content():
    _needs_aes()
    for case in golden("wire/bundles.json")["cases"]:
        _, error = _tried(case)
        assert error is None or "correct horse" not in str(error)


def test_a_bundle_is_hashed_as_text():
    case = golden("wire/receipts.json")["cases"][0]
    assert len(hashlib.sha256(case["bundle"].encode()).digest()) == 32
