# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does the host's side of an exchange promise?"""

import warnings
from typing import Any

import pytest
from noise.connection import Keypair, NoiseConnection

from muster_server.config_server.noise import Responder
from tests.host_server.golden import cases


def responder(case: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Responder:
    """A responder that draws the golden ephemeral key."""
    start = NoiseConnection.start_handshake

    def with_ephemeral(noise: NoiseConnection) -> None:
        key = bytes.fromhex(case["server_ephemeral_hex"])
        noise.set_keypair_from_private_bytes(Keypair.EPHEMERAL, key)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            start(noise)

    monkeypatch.setattr(NoiseConnection, "start_handshake", with_ephemeral)
    return Responder(case["device_id"], case["k"], bytes.fromhex(case["psk_hex"]))


@cases("exchanges", is_valid=True)
def test_golden_exchange_is_answered_to_the_byte(
    case: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    side = responder(case, monkeypatch)
    assert side.read(bytes.fromhex(case["message_1_hex"])) == case["report"].encode()
    answer = side.write(case["directive"].encode())
    assert answer is not None
    assert answer.hex() == case["message_2_hex"]


@cases("exchanges", is_valid=False)
def test_golden_message_1_that_is_wrong_is_refused(
    case: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    report = responder(case, monkeypatch).read(bytes.fromhex(case["message_1_hex"]))
    assert (report is None) is (case["refused"] == 1)


def test_ephemeral_key_of_zeros_gets_no_answer() -> None:
    psk = bytes(32)
    device = NoiseConnection.from_name(b"Noise_NNpsk0_25519_ChaChaPoly_SHA256")
    device.set_prologue(b"muster/1/A/label")
    device.set_psks(psks=[psk])
    device.set_as_initiator()
    device.start_handshake()
    state = device.noise_protocol.handshake_state
    state.e = state.noise_protocol.dh_fn.generate_keypair()
    state.e.public_bytes = bytes(32)
    message = bytes(device.write_message(b"{}"))
    side = Responder("A", "label", psk)
    assert side.read(message) == b"{}"
    assert side.write(b"{}") is None
