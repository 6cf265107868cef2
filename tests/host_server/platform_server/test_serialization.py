# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does the platform take and give in CBOR?"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muster_server.platform_server.response_codes import BadRequest
from muster_server.platform_server.serialization import NESTING, decoded, encoded
from tests.host_server.platform_server.client import Client

PEN = "Cpen0123456789"
CBOR = "application/cbor"


def packed(document: Any, **how: Any) -> bytes:
    return bytes(cbor2.dumps(document, **how))


def nested(levels: int) -> dict[str, Any]:
    inner: dict[str, Any] = {}
    for _ in range(levels - 1):
        inner = {"a": inner}
    return inner


def around() -> bytes:
    ring: list[Any] = []
    ring.append(ring)
    return packed({"a": ring}, value_sharing=True)


def multiplied() -> bytes:
    """Some bytes that mean 2 to the power of 20 items."""
    item: list[Any] = ["x"]
    for _ in range(20):
        item = [item, item]
    return packed({"a": item}, value_sharing=True)


def test_request_and_answer_are_cbor(platform: Client) -> None:
    platform.account(PEN)
    headers = {
        "X-M2M-Origin": PEN,
        "X-M2M-RI": "r1",
        "X-M2M-RVI": "4",
        "Content-Type": "application/vnd.onem2m-res+cbor;ty=2",
    }
    entity = {"m2m:ae": {"rn": "pen", "api": "N1", "rr": False, "srv": ["4"]}}
    token = platform.tokens[PEN]
    answer = platform.http("POST", "/cse-in", headers, packed(entity), token)
    assert answer.headers["CONTENT-TYPE"] == "application/vnd.onem2m-res+cbor"
    assert (answer.status, answer.body["m2m:ae"]["aei"]) == (201, PEN)
    in_json = platform.http(
        "POST", "/cse-in", headers | {"Accept": "application/json"}, b"", token
    )
    assert in_json.headers["CONTENT-TYPE"] == "application/json"
    assert "application/cbor" in platform.ask("GET", "/cse-in").body["m2m:cb"]["csz"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"\xa1",
        b"{}",
        packed([1]),
        packed({1: 2}),
        packed({"a": b"bytes"}),
        packed({"a": datetime.now(UTC)}),
        packed({"a": Decimal("1.5")}),
        packed({"a": 2**70}),
        packed({"a": float("nan")}),
        packed({"a": cbor2.undefined}),
        packed({"a": {"b"}}),
        packed({"aaaaaa": ["bbbbbbbb"] * 50}, string_referencing=True),
        packed({"a": 1}) + b"\x00",
        packed(nested(NESTING + 2)),
        b"\xa2\x61a\x01\x61a\x02",  # a name twice
        b"\xa1\x61a\x7b\x7f\xff\xff\xff\xff\xff\xff\xff",  # a text longer than the body
        b"\xa1\x61a\x9a\xff\xff\xff\xff",  # a list, too
        b"\x9f" * 10_000,
        around(),
        multiplied(),
    ],
)
def test_what_no_document_holds_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        decoded(body, CBOR)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_document_or_refused(body: bytes) -> None:
    try:
        document = decoded(body, CBOR)
    except BadRequest:
        return
    assert decoded(encoded(document, CBOR), CBOR) == document


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=20,
)


@given(st.dictionaries(st.text(max_size=8), _VALUES))
def test_document_comes_back_from_both_forms(document: dict[str, Any]) -> None:
    for media_type in (CBOR, "application/json"):
        assert decoded(encoded(document, media_type), media_type) == document
