# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Who may move the clock and its floor, and where to.

from muster import ntp
from muster.clock import Clock


# A clock of seconds since 2000 in place of the board's.
def _clock(floor):
    kept = []
    clock = Clock(lambda t: None, floor, 0, kept.append)
    return clock, kept


def test_a_floor_is_kept_at_most_daily():
    clock, kept = _clock(1000)
    clock.set(1000 + 3600)
    clock.set(1000 + 90000)
    clock.set(1000 + 90000 + 3600)
    assert kept == [91000]


# A clock whose time is what was set last.
def _set_clock(floor):
    moments = []
    clock = Clock(moments.append, floor, 0, lambda unix: None)
    clock.now = lambda: clock.floor
    return clock, moments


def test_a_time_nobody_vouches_for_moves_a_clock_forward_only():
    clock, moments = _set_clock(4000000000)
    del moments[:]
    ntp.advance(clock, 3999999999)
    assert not moments and not clock.is_known
    ntp.advance(clock, 4000000001)
    assert len(moments) == 1 and clock.is_known
    assert clock.floor == 4000000000


def test_a_floor_from_a_wrong_time_comes_down_again_but_not_below_the_build_date():
    kept = []
    clock = Clock(lambda t: None, 1000, 9000000, kept.append)
    clock.set(5000000)
    clock.set(10)
    assert kept == [5000000, 1000]


def test_a_directive_may_move_a_clock_back_but_not_below_the_build_date():
    clock, moments = _set_clock(4000000000)
    clock.set(3000000000)
    assert len(moments) == 2 and moments[1][0] < moments[0][0] and clock.is_known
    assert clock.floor == 4000000000


def test_a_clock_at_its_floor_is_a_guess():
    assert not _clock(1000)[0].is_known
