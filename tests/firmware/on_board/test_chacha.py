# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# ChaCha20-Poly1305 against RFC 8439 (sections 2.3.2, 2.5.2, 2.8.2, A.1, A.3, A.5), and its heap.

import gc
from binascii import hexlify, unhexlify

from runner import araises, is_32bit

from muster.chacha import ChaCha, Poly1305, seal, unseal

_SUNSCREEN = (
    b"Ladies and Gentlemen of the class of '99: If I could offer you "
    b"only one tip for the future, sunscreen would be it."
)
_KEY = bytes(range(0x80, 0xA0))
_NONCE = b"\x07\0\0\0@ABCDEFG"
_AAD = unhexlify("50515253c0c1c2c3c4c5c6c7")
_SEALED = unhexlify(
    "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6"
    "3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36"
    "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
    "3ff4def08e4b7a9de576d26586cec64b6116"
    "1ae10b594f09e26a7e902ecbd0600691"
)


def _block(key, nonce, counter):
    stream = ChaCha(key, nonce)
    stream.block(counter)
    return hexlify(stream.out).decode()


# A last block that is not whole brings its own end bit, as the RFC has it.
def _poly1305(key, message):
    poly = Poly1305(key)
    whole = len(message) & ~15
    poly.update(message, 0, whole)
    if whole < len(message):
        poly.update((message[whole:] + b"\x01" + bytes(16))[:16], 0, 16, 0)
    return poly.tag()


def test_rfc8439_2_3_2_block():
    assert _block(bytes(range(32)), unhexlify("000000090000004a00000000"), 1) == (
        "10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4e"
        "d2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e"
    )


def test_rfc8439_a1_blocks_0_and_1():
    assert _block(bytes(32), bytes(12), 0) == (
        "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
        "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586"
    )
    assert _block(bytes(32), bytes(12), 1) == (
        "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed"
        "29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f"
    )


def test_rfc8439_2_5_2_poly1305():
    key = unhexlify("85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b")
    tag = _poly1305(key, b"Cryptographic Forum Research Group")
    assert hexlify(tag) == b"a8061dc1305136c6c22b8baf0c0127a9"


def test_rfc8439_a3_edges_of_the_modulus():
    for r, s, message, tag in (
        (2, b"\0", b"\xff" * 16, b"\x03" + bytes(15)),  # case 7
        (2, b"\xff", b"\x02" + bytes(15), b"\x03" + bytes(15)),  # 8
        (
            1,
            b"\0",
            b"\xff" * 16 + b"\xf0" + b"\xff" * 15 + b"\x11" + bytes(15),
            b"\x05" + bytes(15),
        ),
        (1, b"\0", b"\xff" * 16 + b"\xfb" + b"\xfe" * 15 + b"\x01" * 16, bytes(16)),  # 10
        (2, b"\0", b"\xfd" + b"\xff" * 15, b"\xfa" + b"\xff" * 15),  # 11
    ):
        assert _poly1305(bytes((r,)) + bytes(15) + s * 16, message) == tag


# The largest sums of products that limbs can reach: a sum of 2**30 would be an object.
def test_poly1305_of_all_ones_stays_within_small_integers():
    poly = Poly1305(b"\xff" * 32)
    message = b"\xff" * 1024
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    poly.update(message, 0, 1024)
    after = gc.mem_alloc()
    gc.enable()
    assert after - before < 64
    assert hexlify(poly.tag()) == b"25d4926a53bb480da228ec61e0a31a38"


async def test_rfc8439_2_8_2_seal():
    data = bytearray(_SUNSCREEN + bytes(16))
    await seal(_KEY, _NONCE, _AAD, data)
    assert data == _SEALED


async def test_rfc8439_2_8_2_unseal():
    data = bytearray(_SEALED)
    await unseal(_KEY, _NONCE, _AAD, data)
    assert data[:-16] == _SUNSCREEN


async def test_rfc8439_a5_unseal_through_a_view():
    data = bytearray(
        unhexlify(
            "64a0861575861af460f062c79be643bd5e805cfd345cf389f108670ac76c8cb2"
            "4c6cfc18755d43eea09ee94e382d26b0bdb7b73c321b0100d4f03b7f355894cf"
            "332f830e710b97ce98c8a84abd0b948114ad176e008d33bd60f982b1ff37c855"
            "9797a06ef4f0ef61c186324e2b3506383606907b6a7c02b0f9f6157b53c867e4"
            "b9166c767b804d46a59b5216cde7a4e99040c5a40433225ee282a1b0a06c523e"
            "af4534d7f83fa1155b0047718cbc546a0d072b04b3564eea1b422273f548271a"
            "0bb2316053fa76991955ebd63159434ecebb4e466dae5a1073a6727627097a10"
            "49e617d91d361094fa68f0ff77987130305beaba2eda04df997b714d6c6f2c29"
            "a6ad5cb4022b02709beead9d67890cbb22392336fea1851f38"
        )
    )
    key = unhexlify("1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0")
    aad = unhexlify("f33388860000000000004e91")
    await unseal(key, unhexlify("000000000102030405060708"), aad, memoryview(data))
    assert bytes(data[:-16]).decode() == (
        "Internet-Drafts are draft documents valid for a maximum of six months and may be "
        "updated, replaced, or obsoleted by other documents at any time. It is inappropriate to "
        "use Internet-Drafts as reference material or to cite them other than as "
        "/\u201cwork in progress./\u201d"
    )


async def test_one_changed_bit_anywhere_is_refused_and_nothing_is_decrypted():
    sealed = bytearray(_SUNSCREEN[:20] + bytes(16))
    await seal(_KEY, _NONCE, _AAD, sealed)
    for i in range(0, len(sealed) * 8, 5):
        data = bytearray(sealed)
        data[i >> 3] ^= 1 << (i & 7)
        before = bytes(data)
        await araises(ValueError, unseal(_KEY, _NONCE, _AAD, data))
        assert data == before
    await araises(ValueError, unseal(_KEY, _NONCE, _AAD[1:], bytearray(sealed)))
    await araises(ValueError, unseal(bytes(32), _NONCE, _AAD, bytearray(sealed)))


async def test_data_shorter_than_a_tag_is_refused():
    for size in range(16):
        await araises(ValueError, unseal(_KEY, _NONCE, b"", bytearray(size)))


async def test_empty_plaintext():
    data = bytearray(16)
    await seal(_KEY, _NONCE, _AAD, data)
    await unseal(_KEY, _NONCE, _AAD, data)


# Design, section 11: the bar is 16 KB for each KiB.
async def test_sealing_makes_hardly_any_garbage():
    data = bytearray(4 * 1024 + 16)
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    await seal(_KEY, _NONCE, _AAD, data)
    garbage = (gc.mem_alloc() - before) // 4
    gc.enable()
    if is_32bit:
        print("figure crypto.garbage_per_kib_32bit", garbage)
    assert garbage < 4 * 1024
