# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The short version: nine hours over the wrap of the ticks, and a thousand that return."""

from pathlib import Path

import pytest

from tests.soak.life import live
from tests.soak.retries import after
from tests.soak.story import LEASE_S, nine_hours
from tests.soak.weather import rough_day
from tests.soak.world import World

_LIMIT_S = 280  # a few seconds where nothing else runs


@pytest.mark.timeout(300)
def test_nine_hours_over_the_tick_wrap_with_an_outage_and_a_new_server(
    tmp_path: Path, deployed_flash: Path
) -> None:
    with World(tmp_path, deployed_flash, LEASE_S) as world:
        soak = live(world, 9 / 24, nine_hours(), _LIMIT_S)
        device = world.device()
    assert not soak.findings, soak
    assert soak.tick_wraps == 1
    assert set(soak.failures) & {"wifi_no_ap", "wifi_timeout"}  # the outage was noticed
    assert device["version"] == 2  # the new server's address was proved


@pytest.mark.timeout(300)
def test_sixteen_hours_of_rough_weather_end_at_work(tmp_path: Path, deployed_flash: Path) -> None:
    with World(tmp_path, deployed_flash, LEASE_S) as world:
        soak = live(world, 16 / 24, rough_day(), _LIMIT_S)
    assert not soak.findings, soak
    assert soak.restarts == 1
    assert set(soak.failures) & {"wifi_timeout"}  # the dead links were noticed


@pytest.mark.parametrize(("outage_s", "most_at_once"), [(600, 0.03), (3600, 0.02)])
def test_devices_that_failed_together_do_not_return_together(
    outage_s: int, most_at_once: float
) -> None:
    found = after(outage_s)
    assert found.peak_share <= most_at_once, found.histogram()
    assert found.last_s < 400, found.histogram()
