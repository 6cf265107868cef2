# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does the platform answer whatever comes, and keep what it has?"""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.host_server.platform_server.client import Client, running

PEN = "Cpen0123456789"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
# fmt: off
NAMES = ["rn", "ri", "api", "rr", "srv", "lbl", "et", "nl", "poa", "apn", "mni", "mbs", "con",
         "cnf", "ni", "hael", "mgd", "dlb", "man", "mod", "dty", "aei", "ct", "pv", "pvs", "acpi",
         "mid", "mnm", "cr"]
# fmt: on
ROOTS = {
    1: "m2m:acp",
    9: "m2m:grp",
    2: "m2m:ae",
    3: "m2m:cnt",
    4: "m2m:cin",
    13: "m2m:dvi",
    14: "m2m:nod",
}
_SLOW = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def pen() -> Any:
    with running("sqlite://") as client:
        client.register(PEN, rn="pen")
        client.ask("POST", "/cse-in/pen", PEN, 3, {"m2m:cnt": {"rn": "data"}})
        client.ask("POST", "/cse-in", ty=14, document={"m2m:nod": {"rn": "nod", "ni": "x"}})
        yield client


@_SLOW
@given(
    ty=st.sampled_from(sorted(ROOTS)),
    to=st.sampled_from(["/cse-in", "/cse-in/pen", "/cse-in/pen/data", "/cse-in/nod"]),
    method=st.sampled_from(["POST", "PUT"]),
    attributes=st.dictionaries(st.sampled_from(NAMES), JSON, max_size=6),
)
def test_any_attribute_value_is_taken_or_refused(
    pen: Client, ty: int, to: str, method: str, attributes: dict[str, Any]
) -> None:
    _play(pen, method, to, ty, json.dumps({ROOTS[ty]: attributes}).encode())


@_SLOW
@given(body=st.binary(max_size=64) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_body_is_taken_or_refused(pen: Client, body: bytes) -> None:
    _play(pen, "POST", "/cse-in/pen", 3, body)


@_SLOW
@given(
    to=st.text(st.sampled_from("/~_-.%?=&+acfulnrty0123456789\u00e9"), max_size=24),
    content_type=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=24),
)
def test_any_address_and_content_type_are_taken_or_refused(
    pen: Client, to: str, content_type: str
) -> None:
    headers = {"Content-Type": content_type, "X-M2M-Origin": PEN}
    _play(pen, "POST", "/" + to, None, b"{}", headers)
    _play(pen, "GET", "/cse-in/pen?" + to, None, b"", headers)


@pytest.mark.parametrize(
    "body",
    [
        b'{"m2m:cnt":{"lbl":["\\ud800"]}}',
        b'{"m2m:cnt":{"mni":NaN}}',
        b'{"m2m:cnt":{"mni":1e999}}',
        b'{"m2m:cnt":{"mni":' + b"9" * 5000 + b"}}",
        b"[" * 16_000,
        b'{"m2m:cnt":' * 40 + b"{}" + b"}" * 40,
        b'{"m2m:cnt":{"lbl":' + b"[" * 900 + b"]" * 900 + b"}}",
        b"\xff\xfe",
        b"",
    ],
)
def test_what_is_no_json_for_us_is_a_bad_request(pen: Client, body: bytes) -> None:
    assert _play(pen, "POST", "/cse-in/pen", 3, body) == ("400", "4000")


@pytest.mark.parametrize("request_id", ["", " ", "x" * 65, "é"])
def test_request_id_must_be_one(pen: Client, request_id: str) -> None:
    answer = pen.ask("GET", "/cse-in", headers={"X-M2M-RI": request_id})
    assert answer.headers["X-M2M-RSC"] == "4000"
    assert "X-M2M-RI" not in answer.headers


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("PATCH", 405), ("OPTIONS", 405)])
def test_methods_without_a_meaning_in_onem2m_do_no_harm(
    pen: Client, method: str, status: int
) -> None:
    assert pen.ask(method, "/cse-in").status == status


def _play(
    pen: Client,
    method: str,
    to: str,
    ty: int | None,
    body: bytes,
    headers: dict[str, str] | None = None,
) -> tuple[str, str]:
    sent = {"X-M2M-Origin": "CAdmin", "X-M2M-RI": "r", "X-M2M-RVI": "4"}
    sent |= {
        "Content-Type": f"application/json;ty={ty}" if method == "POST" else "application/json"
    }
    sent |= headers or {}
    answer = pen.http(method, to, sent, body, pen.tokens[sent["X-M2M-Origin"]])
    assert answer.status < 500 or answer.headers["X-M2M-RSC"] == "5001"
    assert pen.ask("GET", "/cse-in/pen/data", PEN).status == 200
    return str(answer.status), answer.headers.get("X-M2M-RSC", "none")
