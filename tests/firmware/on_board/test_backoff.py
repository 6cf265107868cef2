# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Back-off doubles to its limit, with jitter.

from muster.backoff import Backoff


def test_backoff_doubles_to_its_limit_and_stays_within_a_quarter():
    backoff = Backoff()
    wanted = 1000
    for _ in range(20):
        assert wanted * 3 // 4 <= backoff.next_ms() < wanted * 5 // 4
        wanted = min(wanted * 2, 300000)


def test_backoff_begins_anew_after_a_reset():
    backoff = Backoff()
    for _ in range(5):
        backoff.next_ms()
    backoff.reset()
    assert backoff.next_ms() < 1250


def test_backoff_goes_on_from_former_failures():
    assert 3000 <= Backoff(2).next_ms() < 5000
    assert Backoff(99).next_ms() < 375000
