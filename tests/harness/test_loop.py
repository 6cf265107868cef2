# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The loop that a board lives on: long waits, and its end."""

import pytest

from muster_harness.loop import Loop


def test_a_loop_waits_longer_than_epoll_can(loop: Loop) -> None:
    loop.call(lambda: loop.later(40 * 86400, lambda: None))
    assert loop.call(lambda: loop.call(lambda: "alive")) == "alive"
    assert loop.call(lambda: "alive") == "alive"


def test_a_loop_that_is_stopped_writes_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop's descriptors may be somebody else's by then."""
    loop = Loop("test")
    loop.stop()
    written: list[int] = []
    monkeypatch.setattr("muster_harness.loop.os.write", lambda fd, data: written.append(fd))
    loop.post(lambda: None)
    loop.stop()
    assert written == []
