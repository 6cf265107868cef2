# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# X25519 against RFC 7748, sections 5.2 and 6.1. The 1000 iterations are run by tests/bench.

from binascii import hexlify, unhexlify

from runner import araises

from muster.x25519 import x25519


async def _x25519(scalar, u):
    return hexlify(await x25519(unhexlify(scalar), unhexlify(u))).decode()


async def test_rfc7748_vector_1():
    assert await _x25519(
        "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
        "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
    ) == ("c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552")


async def test_rfc7748_vector_2_ignores_the_top_bit_of_u():
    assert await _x25519(
        "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
        "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
    ) == ("95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957")


async def test_rfc7748_iterated_1_and_20_times():
    k = u = b"\x09" + bytes(31)
    for i in range(20):
        k, u = await x25519(k, u), k
        if not i:
            assert hexlify(k) == (
                b"422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"
            )
    # The published values are those after 1 and 1000; after 20 it is what OpenSSL gives.
    assert hexlify(k) == b"5ce7e781910891bc409c80d13b98716bcbaa272ed07e93c438bbf6f2a1ed305f"


async def test_rfc7748_section_6_1_key_agreement():
    alice = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"
    bob = "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb"
    base = "09" + "00" * 31
    alice_public = await _x25519(alice, base)
    bob_public = await _x25519(bob, base)
    assert alice_public == "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"
    assert bob_public == "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"
    shared = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"
    assert await _x25519(alice, bob_public) == await _x25519(bob, alice_public) == shared


async def test_points_of_small_order_are_refused():
    # RFC 7748, section 6.1: the all-zero output must be noticed.
    for u in (
        bytes(32),
        b"\x01" + bytes(31),
        unhexlify("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
        unhexlify("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
        unhexlify("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
        unhexlify("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
        unhexlify("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    ):
        await araises(ValueError, x25519(b"\x40" * 32, u))
