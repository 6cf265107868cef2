# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What a refusal of the configuration server says.

from muster.refusal import rejected


def test_who_does_not_know_an_adopted_device_is_not_its_server():
    assert rejected("adopted", 403, {}, b"").code == "server_untrusted"
    for k, status in (("adopted", 503), ("label", 403), ("7", 403)):
        assert rejected(k, status, {}, b"").code == "server_rejected"


def test_a_hint_below_nothing_is_none():
    for said, wanted in (("-5", 0), ("7", 7), ("99999", 300), ("soon", 0)):
        assert rejected("label", 503, {"retry-after": said}, b"").retry_s == wanted


def test_a_problem_says_its_code():
    error = rejected("label", 403, {}, b'{"code":"not_recognised","status":403}')
    assert error.detail == "the configuration server says HTTP 403: not_recognised"
    for body in (b"", b"<html>", b"[]", b'{"code":1}', b"\xff"):
        assert rejected("label", 403, {}, body).detail == "the configuration server says HTTP 403"
