# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The device's half of the handshake against a published vector and the golden exchanges.

from binascii import hexlify, unhexlify

from runner import araises, golden

from muster.chacha import seal, unseal
from muster.errors import DeviceError
from muster.hkdf import hkdf
from muster.noise import Initiator

_PSK = bytes(range(32))


# Keeps what the device drops, to reach the vector's transport messages.
class _Recorded(Initiator):
    def _mix_key(self, secret, is_psk=False):
        key = Initiator._mix_key(self, secret, is_psk)
        self.chain = self._chain
        return key


def _vector():
    vector = golden("wire/noise-nnpsk0-25519-chachapoly-sha256.json")["vectors"][0]
    messages = [(unhexlify(m["payload"]), unhexlify(m["ciphertext"])) for m in vector["messages"]]
    side = _Recorded(
        unhexlify(vector["init_psks"][0]),
        unhexlify(vector["init_prologue"]),
        unhexlify(vector["init_ephemeral"]),
    )
    return side, messages, vector["handshake_hash"]


async def test_published_vector_handshake():
    side, messages, handshake_hash = _vector()
    assert await side.write(messages[0][0]) == messages[0][1]
    assert await side.read(bytearray(messages[1][1])) == messages[1][0]
    assert hexlify(side.hash).decode() == handshake_hash


async def test_published_vector_transport():
    side, messages, _ = _vector()
    await side.write(messages[0][0])
    await side.read(bytearray(messages[1][1]))
    keys = hkdf(side.chain, b"", b"", 64)
    for i, (payload, sealed) in enumerate(messages[2:]):
        key = keys[32:] if i & 1 else keys[:32]
        nonce = bytes(4) + (i // 2).to_bytes(8, "little")
        data = bytearray(payload + bytes(16))
        await seal(key, nonce, b"", data)
        assert data == sealed
        await unseal(key, nonce, b"", data)
        assert data[:-16] == payload


def _golden(case):
    return Initiator(
        unhexlify(case["psk_hex"]),
        "muster/1/" + case["device_id"] + "/" + case["k"],
        unhexlify(case["device_ephemeral_hex"]),
    )


async def test_golden_exchanges_agree_byte_for_byte():
    for case in golden("wire/exchanges.json")["cases"]:
        if case["valid"]:
            side = _golden(case)
            assert await side.write(case["report"].encode()) == unhexlify(case["message_1_hex"])
            payload = await side.read(bytearray(unhexlify(case["message_2_hex"])))
            assert payload == case["directive"].encode()


async def test_golden_spoilt_answers_are_refused():
    for case in golden("wire/exchanges.json")["cases"]:
        if case.get("refused") == 2:
            side = _golden(case)
            await side.write(case["report"].encode())
            message = bytearray(unhexlify(case["message_2_hex"]))
            e = await araises(DeviceError, side.read(message))
            assert e.code == "server_untrusted", case["name"]


async def test_answer_of_every_length_up_to_a_tag_is_refused():
    for size in range(48):
        side = Initiator(_PSK, b"")
        e = await araises(DeviceError, side.read(bytearray(size)))
        assert e.code == "server_untrusted"


async def test_answer_with_a_key_of_small_order_is_refused():
    side = Initiator(_PSK, b"")
    await side.write(b"")
    e = await araises(DeviceError, side.read(bytearray(48)))
    assert e.code == "server_untrusted"


async def test_own_message_sent_back_is_refused():
    side = Initiator(_PSK, b"")
    message = await side.write(b"report")
    e = await araises(DeviceError, side.read(message))
    assert e.code == "server_untrusted"


async def test_each_exchange_draws_a_new_ephemeral_key():
    assert await Initiator(_PSK, b"").write(b"") != await Initiator(_PSK, b"").write(b"")


async def test_nothing_secret_is_kept_or_shown():
    side = Initiator(_PSK, b"")
    await side.write(b"")
    e = await araises(DeviceError, side.read(bytearray(48)))
    shown = repr(side) + repr(e) + str(e)
    assert hexlify(_PSK).decode() not in shown and repr(_PSK) not in shown
    assert _PSK not in side.__dict__.values()
    assert side._ephemeral is None and side._chain is None
