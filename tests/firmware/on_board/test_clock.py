# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Who may move the clock and its floor, and where to.

import time
from time import gmtime, mktime

from muster import clock, ntp
from muster.clock import EPOCH_2000, Clock

_BUILT = 1795000000
_YEARS_S = 20 * 365 * 86400 + 5 * 86400


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


# A clock whose board shows what was set last.
class _Board:
    def __init__(self, built=_BUILT, kept=0):
        self.unix = EPOCH_2000
        self.kept = []
        clock.time = self
        try:
            self.clock = Clock(self.set_rtc, built, kept, self.kept.append)
        finally:
            clock.time = time

    def set_rtc(self, date):
        y, month, day, _, hour, minute, second, _ = date
        seconds = mktime((y, month, day, hour, minute, second, 0, 0))
        self.unix = seconds + EPOCH_2000

    def time(self):
        return self.unix - EPOCH_2000

    gmtime = staticmethod(gmtime)

    # What the clock shows once NTP has said this.
    def guessed(self, unix):
        clock.time = self
        try:
            ntp.guess(self.clock, unix)
            return self.clock.now()
        finally:
            clock.time = time

    def told(self, unix):
        clock.time = self
        try:
            self.clock.set(unix)
        finally:
            clock.time = time


def test_a_guess_is_corrected_by_the_next_one_either_way():
    board = _Board()
    for unix in (_BUILT + 9000, _BUILT + 5000, _BUILT + 7000):
        assert board.guessed(unix) == unix
    assert board.clock.is_known and not board.clock.is_vouched


def test_a_guess_never_goes_below_the_floor():
    for kept in (0, _BUILT + 100000):
        board = _Board(kept=kept)
        floor = board.clock.floor
        assert floor == max(_BUILT, kept) == board.unix
        for unix in (floor - 1, floor - 86400, 0, EPOCH_2000):
            assert board.guessed(unix) == floor and not board.clock.is_known
        assert board.guessed(floor) == floor and board.clock.is_known
        board.guessed(floor + 5000)  # from a guess above it neither
        assert board.guessed(floor - 1) == floor + 5000


def test_a_guess_lies_at_most_twenty_years_after_the_build():
    board = _Board(kept=_BUILT + 1000)
    assert board.guessed(_BUILT + _YEARS_S + 1) == _BUILT + 1000 and not board.clock.is_known
    assert board.guessed(_BUILT + _YEARS_S) == _BUILT + _YEARS_S


def test_a_guess_makes_no_floor():
    board = _Board()
    board.guessed(_BUILT + _YEARS_S)
    assert board.clock.floor == _BUILT and board.kept == []


def test_a_guess_never_goes_back_from_a_time_that_was_vouched_for():
    board = _Board()
    board.told(_BUILT + 5000)
    assert board.clock.is_known and board.clock.is_vouched
    assert board.guessed(_BUILT + 4999) == _BUILT + 5000
    assert board.guessed(_BUILT + 5001) == _BUILT + 5001


def test_a_floor_from_a_wrong_time_comes_down_again_but_not_below_the_build_date():
    kept = []
    clock = Clock(lambda t: None, 1000, 9000000, kept.append)
    clock.set(5000000)
    clock.set(10)
    assert kept == [5000000, 1000]


def test_a_directive_may_move_a_clock_back_but_its_floor_not_below_the_build_date():
    board = _Board()
    board.told(_BUILT + 5000)
    board.told(_BUILT - 7000)
    assert board.unix == _BUILT - 7000
    assert board.clock.floor == _BUILT


def test_a_clock_at_its_floor_is_a_guess():
    assert not _clock(1000)[0].is_known
