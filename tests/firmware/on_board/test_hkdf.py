# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# HKDF against RFC 5869, appendix A; HMAC against RFC 4231.

from binascii import hexlify

from muster.hkdf import hkdf, hmac_sha256


def _hkdf(salt, ikm, info, length):
    return hexlify(hkdf(salt, ikm, info, length)).decode()


def test_rfc5869_a1_basic():
    okm = _hkdf(bytes(range(13)), b"\x0b" * 22, bytes(range(0xF0, 0xFA)), 42)
    assert okm == (
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    )


def test_rfc5869_a2_longer_inputs():
    okm = _hkdf(bytes(range(0x60, 0xB0)), bytes(range(80)), bytes(range(0xB0, 0x100)), 82)
    assert okm == (
        "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
        "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
        "cc30c58179ec3e87c14c01d5c1f3434f1d87"
    )


def test_rfc5869_a3_empty_salt_and_info():
    okm = _hkdf(b"", b"\x0b" * 22, b"", 42)
    assert okm == (
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
    )


def test_rfc4231_case_6_key_longer_than_a_block():
    message = b"Test Using Larger Than Block-Size Key - Hash Key First"
    digest = hexlify(hmac_sha256(b"\xaa" * 131, message)).decode()
    assert digest == "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
