# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Are counts exact for a small fleet, kept for a large one, and counted anew when they are old?"""

import logging
import time
from collections.abc import Iterator

import pytest

from muster_server.config_server import counted
from muster_server.config_server.counted import Counted
from muster_server.errors import Unavailable
from tests.host_server.config_server.field import OWNER, Clock, Field, open_field

_WAIT_S = 30


@pytest.fixture
def place() -> Iterator[Field]:
    with open_field() as opened:
        opened.registered()
        yield opened


@pytest.fixture
def monotonic() -> Clock:
    return Clock()


@pytest.fixture
def counts(place: Field, monotonic: Clock) -> Counted:
    return Counted(place.store, place.clock, monotonic)


def _renewed(counts: Counted) -> None:
    deadline = time.monotonic() + _WAIT_S
    while counts._kept[OWNER].is_renewed:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_counts_of_a_small_fleet_are_exact(place: Field, counts: Counted) -> None:
    assert counts.of(OWNER).devices == 1
    place.registered()
    assert counts.of(OWNER).devices == 2


def test_counts_of_a_large_fleet_are_kept_and_renewed_beside_who_asks(
    place: Field, counts: Counted, monotonic: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counted, "EXACT", 0)
    assert counts.of(OWNER).devices == 1
    place.registered()
    assert counts.of(OWNER).devices == 1
    monotonic.pass_s(31)
    assert counts.of(OWNER).devices == 1  # and now somebody counts
    _renewed(counts)
    assert counts.of(OWNER).devices == 2


def test_nobody_is_told_what_was_counted_long_ago(
    place: Field, counts: Counted, monotonic: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counted, "EXACT", 0)
    assert counts.of(OWNER).devices == 1
    place.registered()
    monotonic.pass_s(601)
    assert counts.of(OWNER).devices == 2


def test_former_counts_stay_when_the_database_does_not_answer(
    place: Field,
    counts: Counted,
    monotonic: Clock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def away() -> None:
        raise Unavailable("the database is away", retry_s=1)

    monkeypatch.setattr(counted, "EXACT", 0)
    assert counts.of(OWNER).devices == 1
    monotonic.pass_s(31)
    with monkeypatch.context() as broken, caplog.at_level(logging.WARNING):
        broken.setattr(place.store, "reading", away)
        assert counts.of(OWNER).devices == 1
        _renewed(counts)
    assert "the devices could not be counted" in caplog.text
    assert counts.of(OWNER).devices == 1  # tried again
    _renewed(counts)
