# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What a refusal of the configuration server says.

from muster.exchange import _is_own, _rejected


def test_a_hint_below_nothing_is_none():
    for said, wanted in (("-5", 0), ("7", 7), ("99999", 300), ("soon", 0)):
        assert _rejected(503, {"retry-after": said}, b"").retry_s == wanted


def test_only_what_is_sealed_or_a_problem_is_the_configuration_server_s():
    sealed = {"content-type": "application/octet-stream"}
    problem = {"content-type": "application/problem+json; charset=utf-8"}
    assert _is_own(200, sealed) and _is_own(403, problem) and _is_own(503, problem)
    for status, headers in (
        (200, {"content-type": "text/html"}),
        (200, problem),
        (200, {}),
        (302, sealed),
        (403, {"content-type": "application/json"}),
    ):
        assert not _is_own(status, headers), (status, headers)


def test_a_problem_says_its_code():
    error = _rejected(403, {}, b'{"code":"not_recognised","status":403}')
    assert error.detail == "the configuration server says HTTP 403: not_recognised"
    for body in (b"", b"<html>", b"[]", b'{"code":1}', b"\xff"):
        assert _rejected(403, {}, body).detail == "the configuration server says HTTP 403"
