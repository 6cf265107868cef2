# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Which failure of a trial is told, and how long it waits after each.

from runner import raises

from muster import telling
from muster.errors import DeviceError

_LONG_MS = 600000


def _error(step, code, retry_s=None, is_final=False):
    e = DeviceError(code, "detail", retry_s)
    e.step = step
    e.is_final = is_final
    return e


def _told(*failures):
    tries = []
    for step, code in failures:
        telling.wait_ms(tries, _error(step, code), _LONG_MS)
    return telling.timed_out(tries, 60)


def test_waits_grow_to_fifteen_seconds():
    tries = []
    waits = [telling.wait_ms(tries, _error(8, "wifi_no_ap"), _LONG_MS) for _ in range(8)]
    assert 750 <= waits[0] <= 1250 and 3000 <= waits[2] <= 5000, waits
    assert max(waits) <= 15000 and waits[-1] == 15000, waits


def test_what_a_peer_asks_for_is_waited_and_what_is_too_long_ends_the_trial():
    tries = []
    assert telling.wait_ms(tries, _error(9, "platform_unreachable", 40), _LONG_MS) == 40000
    e = raises(DeviceError, telling.wait_ms, tries, _error(9, "platform_unreachable", 100), 60000)
    assert e.code == "platform_unreachable" and e.retry_s == 100


def test_what_is_final_ends_the_trial_at_once_whatever_was_before():
    tries = []
    telling.wait_ms(tries, _error(9, "platform_tls"), _LONG_MS)
    for error in (
        _error(9, "platform_refused", is_final=True),
        _error(8, "storage_failed"),
        _error(9, "config_invalid"),
    ):
        assert raises(DeviceError, telling.wait_ms, tries, error, _LONG_MS) is error


def test_a_password_counts_as_refused_only_if_nothing_else_was_said():
    assert _told((8, "wifi_auth"), (8, "wifi_auth")).code == "wifi_auth"
    assert _told((8, "wifi_auth"), (8, "wifi_timeout"), (8, "wifi_auth")).code == "wifi_timeout"
    assert _told((8, "wifi_no_ap"), (8, "wifi_auth"), (8, "wifi_no_ap")).code == "wifi_auth"
    assert _told((8, "wifi_auth"), (8, "dhcp_timeout")).code == "dhcp_timeout"


def test_what_came_farthest_tells_most_and_the_others_are_named():
    e = _told((8, "wifi_no_ap"), (9, "platform_unreachable"), (8, "wifi_timeout"))
    assert e.code == "platform_unreachable"
    assert e.detail == "detail; 3 tries, also wifi_no_ap, wifi_timeout"


def test_without_any_failure_it_took_too_long():
    assert telling.timed_out([], 60).code == "timeout"
