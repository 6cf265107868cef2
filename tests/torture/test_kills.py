# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A sample: the servers are killed under load, and nothing that they acknowledged is lost."""

from pathlib import Path

from tests.postgres import Postgres
from tests.torture.kills import kill_often


def test_nothing_acknowledged_is_lost_by_kills(tmp_path: Path) -> None:
    compared, losses = kill_often(tmp_path, kills=2, seed=1)
    assert losses == []
    assert compared > 4


def test_nothing_acknowledged_is_lost_by_kills_of_two_processes(
    tmp_path: Path, postgres: Postgres
) -> None:
    store = ("--store", postgres.database(), "--workers", "2")
    compared, losses = kill_often(tmp_path, kills=2, seed=2, options=store)
    assert losses == []
    assert compared > 4
