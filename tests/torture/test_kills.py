# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A sample: the servers are killed under load, and nothing that they acknowledged is lost."""

from pathlib import Path

from tests.torture.kills import kill_often


def test_nothing_acknowledged_is_lost_by_kills(tmp_path: Path) -> None:
    compared, losses = kill_often(tmp_path, kills=2, seed=1)
    assert losses == []
    assert compared > 4
