# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A connection that cannot be made has an error number, not an exception."""

import socket

import pytest

from muster_harness.air.dialling import Dialling
from muster_harness.loop import Loop


@pytest.mark.parametrize("source", ["127.0.0.1", "192.0.2.1"])  # the latter is nobody's
def test_a_target_that_cannot_be_is_an_answer(loop: Loop, source: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = 70000 if source == "127.0.0.1" else server.getsockname()[1]
        errors: list[int] = []
        loop.call(
            lambda: Dialling(loop, source, ("127.0.0.1", port), lambda far, e: errors.append(e))
        )
        for _ in range(3):  # its answer comes in a later turn
            loop.call(lambda: None)
    assert len(errors) == 1
    assert errors[0] != 0
