# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Back-off, clock, timeline, log and URLs.

import builtins
import time

import lives
from runner import raises

from muster import connecting, log, ntp, url
from muster.backoff import Backoff
from muster.clock import Clock
from muster.contact import Contact
from muster.errors import DeviceError
from muster.exchange import _rejected
from muster.onem2m_time import format_time, parse_time
from muster.report import entries
from muster.timeline import FIND, JOIN, SEEK


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


def test_urls_are_taken_apart():
    assert url.split("http://127.0.0.1:8422") == (False, "127.0.0.1", 8422, "")
    assert url.split("https://m2m.example/base/") == (True, "m2m.example", 443, "/base")


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


def test_a_hint_to_wait_makes_a_contact_later_but_never_sooner():
    contact = Contact(None, Clock(lambda date: None, 0, 0, None), None, None)
    contact.due_in(60)
    connecting.wait(contact, 1)
    assert 59000 < time.ticks_diff(contact._next, time.ticks_ms()) <= 60000
    connecting.wait(contact, 120)
    assert 119000 < time.ticks_diff(contact._next, time.ticks_ms()) <= 120000


def test_repeated_seeking_keeps_one_attempt_and_how_the_one_before_failed():
    timeline = lives.timeline()
    for code in ["discovery_none"] * 25 + ["wifi_no_ap"] * 25 + [None]:
        timeline.begin(SEEK)
        timeline.done()
        timeline.begin(FIND)
        if code:
            timeline.failed(DeviceError(code))
    failed = [FIND, "wifi_no_ap"]
    assert [entry[:2] for entry in entries(timeline)] == [failed, [SEEK, "ok"]]
    timeline.done()
    timeline.begin(JOIN)
    assert [entry[:2] for entry in entries(timeline)] == [failed, [SEEK, "ok"], [FIND, "ok"]]


def test_a_timeline_is_bounded():
    timeline = lives.timeline()
    for _ in range(100):
        timeline.begin(JOIN)
        timeline.done()
    assert len(entries(timeline)) == 24


# What the log prints while act runs.
def _printed(act):
    lines = []
    genuine = builtins.print
    builtins.print = lines.append
    try:
        act()
    finally:
        builtins.print = genuine
    return lines


def test_a_hidden_secret_never_reaches_the_log():
    log.hide("correct horse")
    lines = _printed(lambda: log.error("wifi", "joining with correct horse failed"))
    assert "correct horse" not in lines[0] and "***" in lines[0]


def test_a_hint_below_nothing_is_none():
    for said, wanted in (("-5", 0), ("7", 7), ("99999", 300), ("soon", 0)):
        assert _rejected(503, {"retry-after": said}).retry_s == wanted


def test_a_control_character_cannot_forge_a_line():
    lines = _printed(lambda: log.info("wifi", "net\r\nM 1 I step 9 ok"))
    assert "\n" not in lines[0] and "\r" not in lines[0]


def test_onem2m_times_are_read_and_written():
    assert format_time(parse_time("20261123T075904,012551")) == "20261123T075904"
    raises(ValueError, parse_time, "yesterday")
