# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does the host's side of an exchange promise? noiseprotocol is the second implementation."""

import json
import secrets
import warnings
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from noise.connection import Keypair, NoiseConnection

from muster_server.config_server import noise
from muster_server.config_server.noise import PROTOCOL, Exchange, prologue
from tests.host_server.golden import WIRE, cases

VECTORS = "noise-nnpsk0-25519-chachapoly-sha256.json"
ABOUT = prologue("A", "label")


def draw(monkeypatch: pytest.MonkeyPatch, key_hex: str) -> None:
    """Have the server draw this ephemeral key."""
    key = X25519PrivateKey.from_private_bytes(bytes.fromhex(key_hex))
    monkeypatch.setattr(noise, "_drawn", lambda: key)


def other_side(psk: bytes, *, is_device: bool, key: bytes | None = None) -> NoiseConnection:
    """Return an end of the exchange that noiseprotocol holds."""
    side = NoiseConnection.from_name(PROTOCOL)
    side.set_prologue(ABOUT)
    side.set_psks(psks=[psk])
    if key is not None:
        side.set_keypair_from_private_bytes(Keypair.EPHEMERAL, key)
    side.set_as_initiator() if is_device else side.set_as_responder()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        side.start_handshake()
    return side


def of_case(case: dict[str, Any]) -> Exchange:
    about = prologue(case["device_id"], case["k"])
    return Exchange(about, bytes.fromhex(case["message_1_hex"]))


def test_published_vectors_are_met_to_the_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    (vector,) = json.loads((WIRE / VECTORS).read_text())["vectors"]
    draw(monkeypatch, vector["resp_ephemeral"])
    first, second, *_ = vector["messages"]
    exchange = Exchange(bytes.fromhex(vector["resp_prologue"]), bytes.fromhex(first["ciphertext"]))
    opened = exchange.opened(bytes.fromhex(vector["resp_psks"][0]))
    assert opened is not None
    assert opened.report.hex() == first["payload"]
    answer = opened.answered(bytes.fromhex(second["payload"]))
    assert answer is not None
    assert answer.hex() == second["ciphertext"]


@cases("exchanges", is_valid=True)
def test_golden_exchange_is_answered_to_the_byte(
    case: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    draw(monkeypatch, case["server_ephemeral_hex"])
    opened = of_case(case).opened(bytes.fromhex(case["psk_hex"]))
    assert opened is not None
    assert opened.report == case["report"].encode()
    answer = opened.answered(case["directive"].encode())
    assert answer is not None
    assert answer.hex() == case["message_2_hex"]


@cases("exchanges", is_valid=False)
def test_golden_message_1_that_is_wrong_is_refused(case: dict[str, Any]) -> None:
    opened = of_case(case).opened(bytes.fromhex(case["psk_hex"]))
    assert (opened is None) is (case["refused"] == 1)


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 64, 2048, 8144])
def test_second_implementation_says_the_same_of_any_report(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    psk, key, report = (secrets.token_bytes(n) for n in (32, 32, size))
    draw(monkeypatch, key.hex())
    device = other_side(psk, is_device=True)
    message = bytes(device.write_message(report))
    theirs = other_side(psk, is_device=False, key=key)
    assert bytes(theirs.read_message(message)) == report
    exchange = Exchange(ABOUT, message)
    for _ in range(3):  # keys that do not fit leave no trace
        assert exchange.opened(secrets.token_bytes(32)) is None
    opened = exchange.opened(psk)
    assert opened is not None
    assert opened.report == report
    answer = opened.answered(report[::-1])
    assert answer == bytes(theirs.write_message(report[::-1]))
    assert bytes(device.read_message(answer)) == report[::-1]


def test_neither_implementation_opens_a_message_with_a_bit_changed() -> None:
    psk = secrets.token_bytes(32)
    message = bytes(other_side(psk, is_device=True).write_message(b"{}"))
    for place in range(len(message)):
        changed = message[:place] + bytes([message[place] ^ 1]) + message[place + 1 :]
        assert Exchange(ABOUT, changed).opened(psk) is None
        with pytest.raises(InvalidTag):
            other_side(psk, is_device=False).read_message(changed)


@pytest.mark.parametrize("size", [0, 31, 32, 47])
def test_message_that_is_cut_off_fits_no_key(size: int) -> None:
    psk = secrets.token_bytes(32)
    message = bytes(other_side(psk, is_device=True).write_message(b""))
    assert Exchange(ABOUT, message[:size]).opened(psk) is None


def test_ephemeral_key_of_zeros_gets_no_answer() -> None:
    psk = bytes(32)
    device = other_side(psk, is_device=True)
    state = device.noise_protocol.handshake_state
    state.e = state.noise_protocol.dh_fn.generate_keypair()
    state.e.public_bytes = bytes(32)
    message = bytes(device.write_message(b"{}"))
    opened = Exchange(ABOUT, message).opened(psk)
    assert opened is not None
    assert opened.report == b"{}"
    assert opened.answered(b"{}") is None


def test_each_answer_has_an_ephemeral_key_of_its_own() -> None:
    psk = secrets.token_bytes(32)
    opened = Exchange(ABOUT, bytes(other_side(psk, is_device=True).write_message(b""))).opened(psk)
    assert opened is not None
    first, second = opened.answered(b""), opened.answered(b"")
    assert first is not None and second is not None
    assert first[:32] != second[:32]
