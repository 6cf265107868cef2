# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does reading a report promise?"""

from typing import Any

import pytest

from muster_server.config_server.report import parse_report
from muster_server.errors import Malformed
from tests.host_server.golden import cases, text_of
from tests.wire.syncs import BLANK


@cases("reports", is_valid=True)
def test_golden_report_is_read(case: dict[str, Any]) -> None:
    report = parse_report(text_of(case))
    assert (report.config, report.state) == (case["value"]["config"], case["value"]["state"])
    assert len(report.scan) == len(case["value"]["scan"])


@cases("reports", is_valid=False)
def test_golden_report_that_is_wrong_is_refused_by_its_path(case: dict[str, Any]) -> None:
    with pytest.raises(Malformed) as caught:
        parse_report(text_of(case))
    assert caught.value.path == case["path"]


@pytest.mark.parametrize("raw", [b"\xff\xfe", b'{"v":1e999}', b'{"v":NaN}', b"1" * 5000])
def test_bytes_that_no_parser_should_choke_on_are_refused(raw: bytes) -> None:
    with pytest.raises(Malformed):
        parse_report(raw)


def test_half_a_surrogate_pair_is_refused_before_it_reaches_the_database() -> None:
    text = text_of({"value": BLANK | {"model": "\ud800"}})
    with pytest.raises(Malformed) as caught:
        parse_report(text)
    assert caught.value.path == "model"


def test_version_beyond_all_that_can_be_had_is_refused_by_its_path() -> None:
    highest = BLANK | {"config": 2**31 - 1}
    assert parse_report(text_of({"value": highest})).config == 2**31 - 1
    with pytest.raises(Malformed) as caught:
        parse_report(text_of({"value": BLANK | {"config": 2**31}}))
    assert caught.value.path == "config"


def test_what_a_device_says_can_be_shown_on_a_terminal() -> None:
    hostile = "\x1b]0;owned\x07\x9b2J\u202e"
    last = {"config": 1, "step": 8, "code": "wifi_auth", "detail": f"ключ {hostile}"}
    report = parse_report(text_of({"value": BLANK | {"model": hostile, "last": last}}))
    assert report.model == "?]0;owned??2J?"
    assert report.last is not None
    assert report.last.detail == f"ключ {report.model}"


def test_reset_cause_that_a_newer_firmware_may_have_locks_no_device_out() -> None:
    report = parse_report(text_of({"value": BLANK | {"reset_cause": "cosmic_ray"}}))
    assert report.reset_cause == "unknown"
    assert parse_report(text_of({"value": BLANK})).reset_cause == "power_on"
