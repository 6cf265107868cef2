# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Is what a fleet sends the exchange of the published vectors, and of docs/protocol.md?"""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from muster_harness.fleet.noise import Initiator
from tests.host_server.golden import cases


def initiator(case: dict[str, Any]) -> Initiator:
    """One that draws the golden ephemeral key."""
    own = X25519PrivateKey.from_private_bytes(bytes.fromhex(case["device_ephemeral_hex"]))
    return Initiator(case["device_id"], case["k"], bytes.fromhex(case["psk_hex"]), own)


@cases("exchanges", is_valid=True)
def test_golden_exchange_is_sent_and_read_to_the_byte(case: dict[str, Any]) -> None:
    side = initiator(case)
    assert side.write(case["report"].encode()).hex() == case["message_1_hex"]
    assert side.read(bytes.fromhex(case["message_2_hex"])) == case["directive"].encode()


@cases("exchanges", is_valid=False, but=lambda case: case["refused"] != 2)
def test_golden_message_2_that_is_wrong_is_refused(case: dict[str, Any]) -> None:
    side = initiator(case)
    side.write(case["report"].encode())
    with pytest.raises(ValueError, match="message 2"):
        side.read(bytes.fromhex(case["message_2_hex"]))


@pytest.mark.parametrize("message", [b"", bytes(47), bytes(48), bytes(200)])
def test_message_2_that_is_none_is_refused(message: bytes) -> None:
    side = Initiator("A", "label", bytes(32))
    side.write(b"{}")
    with pytest.raises(ValueError, match="message 2"):
        side.read(message)


def test_each_exchange_draws_a_key_of_its_own() -> None:
    first, second = (Initiator("A", "label", bytes(32)).write(b"{}") for _ in range(2))
    assert first[:32] != second[:32]
