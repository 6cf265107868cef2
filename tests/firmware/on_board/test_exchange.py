# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Which key a name stands for, and what a refusal of the configuration server says.

import json
from binascii import b2a_base64, unhexlify

from muster.exchange import _is_own, _psk, _rejected
from muster.label import Label


def test_golden_keys_are_those_of_label_and_adoption():
    with open("tests/wire/labels.json") as f:
        cases = [case for case in json.load(f)["cases"] if case["valid"]]
    for case in cases:
        label = Label(case["device_id"], unhexlify(case["secret_hex"]))
        adoption = b2a_base64(unhexlify(case["adoption_hex"]))[:-1].decode()
        assert _psk(label, ("label", "")) == unhexlify(case["keys"]["sync-psk"])
        assert _psk(label, ("adopted", adoption)) == unhexlify(case["adopted_psk"])
        assert _psk(label, ("7", adoption)) == unhexlify(case["adoption_hex"])
    assert len(cases) > 4


def test_who_does_not_know_an_adopted_device_is_not_its_server():
    assert _rejected("adopted", 403, {}, b"").code == "server_untrusted"
    for k, status in (("adopted", 503), ("label", 403), ("7", 403)):
        assert _rejected(k, status, {}, b"").code == "server_rejected"


def test_a_hint_below_nothing_is_none():
    for said, wanted in (("-5", 0), ("7", 7), ("99999", 300), ("soon", 0)):
        assert _rejected("label", 503, {"retry-after": said}, b"").retry_s == wanted


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
    error = _rejected("label", 403, {}, b'{"code":"not_recognised","status":403}')
    assert error.detail == "the configuration server says HTTP 403: not_recognised"
    for body in (b"", b"<html>", b"[]", b'{"code":1}', b"\xff"):
        assert _rejected("label", 403, {}, body).detail == "the configuration server says HTTP 403"
