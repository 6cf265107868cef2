# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Golden sync exchanges with fixed ephemeral keys, made by the host's Noise library."""

import hashlib
import json
import warnings
from typing import Any

from noise.connection import Keypair, NoiseConnection

from tests.wire.configurations import SMALL
from tests.wire.labels import ADOPTION, derived
from tests.wire.syncs import BLANK, CONFIGURE, FAILED, KEEP

NAME = b"Noise_NNpsk0_25519_ChaChaPoly_SHA256"
DEVICE_ID = "PRESS-4"
LABEL_KEY = derived(bytes(range(20)), "sync-psk", DEVICE_ID)
ADOPTED_KEY = derived(bytes(range(20)) + ADOPTION, "adopted-psk", DEVICE_ID)
VERSION_KEY = bytes(range(32))


def compact(document: dict[str, Any]) -> str:
    """JSON as it goes over the wire."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def private_key(word: str) -> bytes:
    """A made-up ephemeral key. Real ones are drawn anew for each attempt."""
    return hashlib.sha256(b"golden/" + word.encode()).digest()


def _side(prologue: str, psk: bytes, ephemeral: bytes) -> NoiseConnection:
    side = NoiseConnection.from_name(NAME)
    side.set_prologue(prologue.encode())
    side.set_psks(psk)
    side.set_keypair_from_private_bytes(Keypair.EPHEMERAL, ephemeral)
    return side


def exchanged(
    name: str, k: str, psk: bytes, report: str, directive: str, device_id: str = DEVICE_ID
) -> dict[str, Any]:
    """One whole exchange; both sides are run, so that the messages are known to be readable."""
    device_key, server_key = private_key(name + "/device"), private_key(name + "/server")
    prologue = f"muster/1/{device_id}/{k}"
    device, server = _side(prologue, psk, device_key), _side(prologue, psk, server_key)
    device.set_as_initiator()
    server.set_as_responder()
    with warnings.catch_warnings():
        # the library warns that fixed ephemerals are for testing only; this is such a test
        warnings.simplefilter("ignore", UserWarning)
        device.start_handshake()
        server.start_handshake()
    first = bytes(device.write_message(report.encode()))
    assert bytes(server.read_message(first)).decode() == report
    second = bytes(server.write_message(directive.encode()))
    assert bytes(device.read_message(second)).decode() == directive
    return {
        "name": name,
        "valid": True,
        "device_id": device_id,
        "k": k,
        "psk_hex": psk.hex(),
        "device_ephemeral_hex": device_key.hex(),
        "server_ephemeral_hex": server_key.hex(),
        "report": report,
        "message_1_hex": first.hex(),
        "directive": directive,
        "message_2_hex": second.hex(),
    }


def broken(good: dict[str, Any], name: str, message: int, **change: str) -> dict[str, Any]:
    """The same exchange with something wrong; `refused` is the message that must be refused."""
    return good | change | {"name": name, "valid": False, "refused": message}


def _spoilt(good: dict[str, Any], number: int) -> list[dict[str, Any]]:
    field = f"message_{number}_hex"
    raw = bytes.fromhex(good[field])

    def flipped(at: int) -> str:
        copy = bytearray(raw)
        copy[at] ^= 1
        return bytes(copy).hex()

    which = f"message-{number}"
    return [
        broken(good, f"{which}-ephemeral-tampered", number, **{field: flipped(0)}),
        broken(good, f"{which}-payload-tampered", number, **{field: flipped(40)}),
        broken(good, f"{which}-tag-tampered", number, **{field: flipped(len(raw) - 1)}),
        broken(good, f"{which}-without-its-last-byte", number, **{field: raw[:-1].hex()}),
        broken(good, f"{which}-with-one-byte-more", number, **{field: raw.hex() + "00"}),
        broken(good, f"{which}-of-47-bytes", number, **{field: raw[:47].hex()}),
        broken(good, f"{which}-of-31-bytes", number, **{field: raw[:31].hex()}),
        broken(good, f"{which}-empty", number, **{field: ""}),
    ]


def document() -> dict[str, Any]:
    """All exchange cases."""
    first = exchanged(
        "first-sync-under-the-label",
        "label",
        LABEL_KEY,
        compact(BLANK),
        compact(CONFIGURE | {"config": SMALL}),
    )
    second = exchanged("sync-under-version-7", "7", VERSION_KEY, compact(FAILED), compact(KEEP))
    adopted = exchanged(
        "sync-as-an-adopted-device", "adopted", ADOPTED_KEY, compact(FAILED), compact(KEEP)
    )
    empty = exchanged("empty-payloads", "label", LABEL_KEY, "", "")
    long = exchanged(
        "payloads-longer-than-a-cipher-block-many-times", "12", VERSION_KEY, "r" * 4000, "d" * 5000
    )
    other = exchanged("of-another-device", "label", LABEL_KEY, first["report"], "{}", "PRESS-5")
    return {
        "about": "Noise_NNpsk0_25519_ChaChaPoly_SHA256 with prologue muster/1/<device_id>/<k> and "
        "fixed ephemeral keys. An invalid one says which message its receiver must refuse.",
        "cases": [
            first,
            second,
            adopted,
            empty,
            long,
            *_spoilt(first, 1),
            *_spoilt(first, 2),
            broken(first, "message-1-for-another-device", 1, message_1_hex=other["message_1_hex"]),
            broken(first, "message-1-under-another-k", 1, k="1"),
            broken(first, "message-1-under-another-key", 1, psk_hex=VERSION_KEY.hex()),
            broken(adopted, "adopted-under-the-label's-key", 1, psk_hex=LABEL_KEY.hex()),
            broken(adopted, "adopted-under-the-name-of-the-label", 1, k="label"),
            broken(
                first, "message-2-of-another-exchange", 2, message_2_hex=second["message_2_hex"]
            ),
        ],
    }
