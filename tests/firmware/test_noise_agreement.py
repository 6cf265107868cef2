# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The device's Noise and the host's library understand each other, 200 random times."""

import random
import subprocess
from collections.abc import Iterator

import pytest
from noise.connection import NoiseConnection

from tests.firmware import interpreters
from tests.firmware.interpreters import ON_BOARD, PROJECT

NAME = b"Noise_NNpsk0_25519_ChaChaPoly_SHA256"
EXCHANGES = 200
LARGEST = 8000
EDGES = (0, 1, 15, 16, 17, 63, 64, 65, 127, 128, 129, LARGEST)
SEED = 7  # an arbitrary one, so that a failure can be run again


class Device:
    """The interpreter that plays the device, a line each way."""

    def __init__(self) -> None:
        script = str(ON_BOARD / "noise_peer.py")
        self._process = subprocess.Popen(
            [*interpreters.unix(), script, str(PROJECT / "firmware")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def say(self, *values: bytes) -> None:
        assert self._process.stdin
        self._process.stdin.write(" ".join(value.hex() or "-" for value in values) + "\n")
        self._process.stdin.flush()

    def hear(self) -> list[bytes]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        return [b"" if word == "-" else bytes.fromhex(word) for word in line.split()]

    def close(self) -> None:
        self._process.communicate("\n", timeout=10)


@pytest.fixture
def device() -> Iterator[Device]:
    device = Device()
    yield device
    device.close()


def test_200_random_exchanges_agree_in_both_directions(device: Device) -> None:
    chance = random.Random(SEED)
    for number in range(EXCHANGES):
        # Short ones are likelier, to spend the time on exchanges rather than on the cipher.
        first, second = (
            chance.randbytes(
                EDGES[number] if number < len(EDGES) else int(LARGEST * chance.random() ** 3)
            )
            for _ in range(2)
        )
        psk = chance.randbytes(32)
        prologue = chance.randbytes(chance.randrange(1, 50))
        server = NoiseConnection.from_name(NAME)
        server.set_prologue(prologue)
        server.set_psks(psk)
        server.set_as_responder()
        server.start_handshake()

        device.say(psk, prologue, first)
        (message,) = device.hear()
        assert server.read_message(message) == first
        device.say(bytes(server.write_message(second)))
        payload, handshake_hash = device.hear()
        assert payload == second
        assert handshake_hash == server.get_handshake_hash()
