# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Which of oneM2M's requests does another role of the process get answered at once?"""

from typing import Any

import pytest

from muster_server.direct import DirectApp
from tests.host_server.platform_server.client import ADMIN_TOKEN, Client


def answered(platform: Client, path: str, headers: dict[str, str], query: str = "") -> Any:
    app = platform.app
    assert isinstance(app, DirectApp)
    sent = {"x-m2m-origin": "CAdmin", "x-m2m-ri": "r1", "x-m2m-rvi": "4", **headers}
    return app.answer_here("GET", path, query, sent, b"")


TOKEN = {"authorization": f"Bearer {ADMIN_TOKEN}"}


@pytest.mark.parametrize("query", ["", "rcn=4", "fu=1&ty=2"])
def test_retrievals_and_searches_are(platform: Client, query: str) -> None:
    answer = answered(platform, "/cse-in", TOKEN, query)
    assert (answer.status_code, answer.headers["X-M2M-RSC"]) == (200, "2000")


@pytest.mark.parametrize("header", ["x-m2m-oet", "x-m2m-ret", "x-m2m-rst"])
def test_what_has_a_time_of_its_own_is_not(platform: Client, header: str) -> None:
    assert answered(platform, "/cse-in", TOKEN | {header: "PT1S"}) is None


@pytest.mark.parametrize("query", ["rt=1", "rt=2", "rp=PT1S"])
def test_what_is_answered_later_is_not(platform: Client, query: str) -> None:
    assert answered(platform, "/cse-in", TOKEN, query) is None


def test_poll_is_not(platform: Client) -> None:
    assert answered(platform, "/cse-in/x/pcu", TOKEN) is None


@pytest.mark.parametrize(("path", "code"), [("/cse-in/none", "4004"), ("/cse-in/", "4000")])
def test_refusal_is_in_onem2ms_form(platform: Client, path: str, code: str) -> None:
    answer = answered(platform, path, TOKEN)
    assert answer.headers["X-M2M-RSC"] == code
    assert b"m2m:dbg" in answer.body


def test_nobody_is_answered_without_a_token(platform: Client) -> None:
    answer = answered(platform, "/cse-in", {})
    assert (answer.status_code, answer.headers["X-M2M-RSC"]) == (401, "4107")
