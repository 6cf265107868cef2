# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A sample: PostgreSQL and a process of the servers die under load; nothing is lost by it."""

from pathlib import Path

from tests.postgres import Postgres
from tests.torture.restarts import restart_often


def test_nothing_acknowledged_is_lost_by_restarts(tmp_path: Path, postgres: Postgres) -> None:
    compared, findings = restart_often(tmp_path, postgres, restarts=3, seed=1, devices=16)
    assert findings == []
    assert compared == 3 * 16 * 4
