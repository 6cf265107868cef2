# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Can a clock that jumps end registrations, data or claims?"""

import logging
from pathlib import Path

import pytest

from muster_server.config_server.device_view import Wanted
from muster_server.expiry_clock import (
    BELIEVED_AFTER_S,
    OFF_S,
    SAVED_EVERY_S,
    SLACK_S,
    ExpiryClock,
    since_boot,
)
from muster_server.platform_server.timestamps import timestamp
from muster_server.store.claims import CLAIM_LIFE_S
from muster_server.store.engine import MEMORY
from tests.host_server.config_server.field import OWNER, open_field
from tests.host_server.platform_server.client import Clock as PlatformClock
from tests.host_server.platform_server.client import running

DAY_S = 86_400.0
START = 1_795_430_400.0


class Times:
    """A clock that can jump, and one that cannot."""

    def __init__(self, now: float = START) -> None:
        self.now = now
        self.passed = 5.0

    def pass_s(self, seconds: float) -> None:
        self.now += seconds
        self.passed += seconds

    def started(self, folder: Path) -> ExpiryClock:
        """The clock of a process that starts now."""
        return ExpiryClock(folder / "time", lambda: self.now, lambda: self.passed)


def test_time_that_passes_is_told(tmp_path: Path) -> None:
    times = Times()
    expiry = times.started(tmp_path)
    for seconds in (0, 1, 3 * DAY_S, 400 * DAY_S):
        times.pass_s(seconds)
        assert expiry() == expiry.latest() == times.now


def test_clock_that_is_set_by_a_little_is_followed(tmp_path: Path) -> None:
    times = Times()
    expiry = times.started(tmp_path)
    for step in (30, -60, 1800):
        times.now += step
        assert expiry() == times.now


def test_jump_forward_is_believed_after_three_days_and_told_at_once_and_hourly(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    times = Times()
    expiry = times.started(tmp_path)
    expiry()
    times.now += 400 * DAY_S
    assert expiry() == START
    (told,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "jumped by +400.0 days" in told.message
    assert "another 72 hours" in told.message
    times.pass_s(1800)
    assert expiry() == START + 1800
    assert len(caplog.records) == 1
    times.pass_s(BELIEVED_AFTER_S - 1801)
    assert expiry() == START + BELIEVED_AFTER_S - 1
    assert len(caplog.records) == 2
    times.pass_s(1)
    assert expiry() == times.now == START + 400 * DAY_S + BELIEVED_AFTER_S
    assert "is believed now" in caplog.records[-1].message


def test_jump_back_ends_nothing_either(tmp_path: Path) -> None:
    times = Times()
    expiry = times.started(tmp_path)
    times.now -= 400 * DAY_S
    assert expiry() == times.now
    assert expiry.latest() == START  # by which the life of something new is counted
    times.now += 400 * DAY_S
    assert expiry() == expiry.latest() == START


def test_small_steps_do_not_add_up(tmp_path: Path) -> None:
    times = Times()
    expiry = times.started(tmp_path)
    for _ in range(1000):
        times.now += SLACK_S - 1
        times.pass_s(60)
        expiry()
    assert expiry() <= START + 1000 * 60 + SLACK_S


def test_a_jump_that_does_not_hold_begins_anew(tmp_path: Path) -> None:
    times = Times()
    expiry = times.started(tmp_path)
    times.now += 400 * DAY_S
    expiry()
    times.pass_s(2 * DAY_S)
    times.now += 10 * DAY_S
    expiry()
    times.pass_s(2 * DAY_S)
    assert expiry() == START + 4 * DAY_S


def test_a_start_does_not_make_a_jump_true(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    times = Times()
    times.started(tmp_path)()
    times.now += 400 * DAY_S
    times.passed = 3.0  # the machine itself was started anew
    expiry = times.started(tmp_path)
    assert expiry() == START
    assert "jumped by +400.0 days" in caplog.text
    times.pass_s(SAVED_EVERY_S)
    assert expiry() == START + SAVED_EVERY_S
    times.passed = 1.0
    assert times.started(tmp_path)() == START + SAVED_EVERY_S


def test_machine_that_was_off_for_a_night_is_believed(tmp_path: Path) -> None:
    times = Times()
    times.started(tmp_path)()
    times.now += OFF_S - 1
    assert times.started(tmp_path)() == times.now


def test_what_is_saved_and_cannot_be_read_is_passed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "time").write_text("nonsense")
    (tmp_path / "time").chmod(0o600)
    times = Times()
    assert times.started(tmp_path)() == START
    assert "is passed over" in caplog.text


def test_clock_that_nobody_sets_goes_on() -> None:
    first = since_boot()
    assert since_boot() >= first > 0


def test_jump_deletes_no_application_entity(tmp_path: Path) -> None:
    clock, pen = PlatformClock(), "Cpen0123456789"
    times = Times(clock.now_s)
    with running(MEMORY, clock, expiry=times.started(tmp_path)) as platform:
        platform.register(pen)
        platform.ask("POST", f"/{pen}", pen, 3, {"m2m:cnt": {"rn": "data"}})
        clock.now_s += 400 * DAY_S
        times.now = clock.now_s
        assert platform.ask("GET", f"/cse-in/{pen}/data", pen).status == 200
        # A device whose own clock is right can go on renewing, and another one can come.
        until = timestamp(START + 300 * DAY_S)
        assert (
            platform.ask("PUT", f"/{pen}", pen, document={"m2m:ae": {"et": until}}).status == 200
        )
        assert platform.register("Ccup0123456789", et=until).status == 201
        times.pass_s(BELIEVED_AFTER_S)
        assert platform.ask("GET", f"/cse-in/{pen}/data", pen).status != 200  # now it is believed


def test_jump_expires_no_claim(tmp_path: Path) -> None:
    with open_field() as place:
        times = Times(place.clock.now)
        place.use_expiry(times.started(tmp_path))
        device = place.registered()
        place.clock.pass_s(400 * DAY_S)
        times.now = place.clock.now
        place.presence.end_expired()
        assert device.sync()["action"] == "configure"
        times.pass_s(BELIEVED_AFTER_S)
        place.presence.end_expired()
        times.pass_s(CLAIM_LIFE_S)
        place.presence.end_expired()
        assert place.devices.views.page(OWNER, Wanted())["devices"] == []
