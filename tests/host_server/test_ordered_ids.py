# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Do ids lie together that are made together, and are they never the same?"""

import time

import pytest

from muster_server.ordered_ids import ordered_id


def test_ids_lie_in_the_order_of_time_and_none_comes_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now)
    early = {ordered_id(6) for _ in range(1000)}
    now += 1_000_000
    late = {ordered_id(6) for _ in range(1000)}
    assert len(early | late) == 2000
    assert max(early) < min(late)
    assert {len(name) for name in early | late} == {11 + 12}
    assert all(int(name, 16) >= 0 for name in early)
