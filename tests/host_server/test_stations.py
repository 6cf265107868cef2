# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Who is on the hotspot, as it is told?"""

from pathlib import Path

import pytest

from muster_server.stations import Stations

NEIGHBOURS = """\
10.42.0.23 lladdr 24:6f:28:00:11:22 REACHABLE
10.42.0.24 lladdr 24:6f:28:00:11:33 STALE
10.42.0.25 FAILED
10.42.0.26  INCOMPLETE
"""
LEASES = "1795460000 24:6f:28:00:11:22 10.42.0.23 mpy\x1b[31m-esp32 01:24:6f:28:00:11:22\n\
1795450000 24:6f:28:00:11:33 10.42.0.24 * *\n1795450000 02:00:00:00:00:01 10.42.0.9 long-gone *\n"


@pytest.fixture
def stations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stations:
    (tmp_path / "neighbours").write_text(NEIGHBOURS)
    (tmp_path / "leases").write_text(LEASES)
    program = tmp_path / "ip"
    program.write_text(
        f'#!/bin/sh\n[ "$*" = "-4 neigh show dev wlan0" ] && \
while read -r line; do echo "$line"; done < {tmp_path}/neighbours\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    return Stations("wlan0", str(tmp_path / "leases"))


def test_each_is_told_once_with_a_name_that_is_safe_to_print(stations: Stations) -> None:
    assert list(stations.news()) == [
        "joined 10.42.0.23 24:6f:28:00:11:22 (mpy?[31m-esp32)",
        "joined 10.42.0.24 24:6f:28:00:11:33",
    ]
    assert list(stations.news()) == []


def test_without_iproute2_nobody_is_told(
    stations: Stations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert list(stations.news()) == []


def test_leases_that_only_root_can_read_cost_the_names_alone(
    stations: Stations, tmp_path: Path
) -> None:
    (tmp_path / "leases").unlink()
    assert len(list(stations.news())) == 2
