# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does the platform promise about requests as such: their times, addresses and answers?"""

from typing import Any

import pytest

from muster_server.platform_server import request_times
from muster_server.platform_server.addressing import CSE
from muster_server.platform_server.response_codes import BadRequest, RequestTimeout
from muster_server.platform_server.timestamps import timestamp
from tests.host_server.platform_server.client import ADMIN_TOKEN, Client, running

PEN = "Cpen0123456789"
NOW = 1_795_000_000.0
AE = {"m2m:ae": {"api": "N1", "rr": False, "srv": ["4"]}}


@pytest.fixture
def pen(platform: Client) -> Client:
    platform.register(PEN, rn="pen")
    platform.ask("POST", f"/{PEN}", PEN, 3, {"m2m:cnt": {"rn": "data"}})
    return platform


def code(answer: Any) -> str:
    return str(answer.headers.get("X-M2M-RSC"))


# --- times


@pytest.mark.parametrize(
    ("headers", "wanted_s"),
    [
        ({}, 0.0),
        ({"x-m2m-oet": "2000"}, 2.0),
        ({"x-m2m-oet": "PT2S"}, 2.0),
        ({"x-m2m-oet": timestamp(NOW + 2)}, 2.0),
        ({"x-m2m-oet": timestamp(NOW - 9)}, 0.0),
        ({"x-m2m-oet": "-5000"}, 0.0),
        ({"x-m2m-oet": "2000", "x-m2m-ret": "3000", "x-m2m-rst": "PT4S"}, 2.0),
        ({"x-m2m-ret": "P1DT2H3M4S"}, 0.0),
    ],
)
def test_request_says_when_it_is_carried_out(headers: dict[str, str], wanted_s: float) -> None:
    assert request_times.wait_s(headers, NOW) == pytest.approx(wanted_s, abs=0.001)


@pytest.mark.parametrize(
    ("headers", "refusal"),
    [
        ({"x-m2m-ret": "0"}, RequestTimeout),
        ({"x-m2m-ret": timestamp(NOW - 1)}, RequestTimeout),
        ({"x-m2m-rst": "-1"}, RequestTimeout),
        ({"x-m2m-oet": "2000", "x-m2m-ret": "1000"}, BadRequest),
        ({"x-m2m-oet": "2000", "x-m2m-rst": "1000"}, BadRequest),
        ({"x-m2m-ret": "2000", "x-m2m-rst": "1000"}, BadRequest),
        ({"x-m2m-oet": "PT31S"}, BadRequest),
        ({"x-m2m-ret": "soon"}, BadRequest),
        ({"x-m2m-ret": "PT"}, BadRequest),
        ({"x-m2m-ret": "20261399T000000"}, BadRequest),
        ({"x-m2m-ret": "9" * 13}, BadRequest),
    ],
)
def test_times_that_are_over_or_contradict_each_other_are_refused(
    headers: dict[str, str], refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        request_times.wait_s(headers, NOW)


def test_expired_request_changes_nothing(pen: Client) -> None:
    late = {"X-M2M-RET": timestamp(pen.clock.now_s - 60)}
    answer = pen.ask("DELETE", "/cse-in/pen/data", PEN, headers=late)
    assert (answer.status, code(answer)) == (504, "4008")
    assert pen.ask("GET", "/cse-in/pen/data", PEN).status == 200


def test_blocking_is_what_a_flexible_request_gets(pen: Client) -> None:
    assert pen.ask("GET", f"/{PEN}?rt=5&rp=PT10S", PEN).body["m2m:ae"]["rn"] == "pen"
    assert pen.ask("GET", f"/{PEN}?rt=3", PEN).body["m2m:ae"]["rn"] == "pen"
    assert code(pen.ask("GET", f"/{PEN}?rt=5&rp=soon", PEN)) == "4000"
    assert code(pen.ask("GET", f"/{PEN}?rt=6", PEN)) == "4000"


def test_who_wants_no_answer_gets_none_but_its_code(pen: Client) -> None:
    answer = pen.ask("POST", f"/{PEN}?rt=4", PEN, 3, {"m2m:cnt": {"rn": "quiet"}})
    assert (code(answer), answer.body) == ("2001", None)
    assert pen.ask("GET", "/cse-in/pen/quiet", PEN).status == 200


@pytest.mark.parametrize(
    ("rcn", "wanted"), [(7, "4000"), (10, "5001"), (12, "5001"), (13, "4000")]
)
def test_result_content_that_is_not_here_is_told_from_a_wrong_one(
    pen: Client, rcn: int, wanted: str
) -> None:
    assert code(pen.ask("GET", f"/{PEN}?rcn={rcn}", PEN)) == wanted


# --- addresses


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("/~/id-in/cse-in/pen/data", "2000"),
        ("/~/id-in/-/pen/data", "2000"),
        ("/_/m2m.example/id-in/cse-in/pen/data", "2000"),
        ("/_/m2m.example/id-in/-/pen/data", "2000"),
        ("/_/other.example/id-in/cse-in/pen/data", "4004"),
        ("/_/m2m.example/id-other/cse-in", "4004"),
        ("/_/m2m.example/id-in", "4000"),
        ("/~/id-in", "4000"),
        ("/cse-in/", "4000"),
        ("/cse-in/pen/", "4000"),
        ("/~/id-in/cse-in/", "4000"),
    ],
)
def test_addresses_have_four_forms_and_no_slash_at_the_end(path: str, wanted: str) -> None:
    with running("sqlite://", cse=CSE(provider="m2m.example")) as platform:
        platform.register(PEN, rn="pen")
        platform.ask("POST", f"/{PEN}", PEN, 3, {"m2m:cnt": {"rn": "data"}})
        assert code(platform.ask("GET", path, PEN)) == wanted


def test_absolute_address_is_nobodys_without_a_provider(pen: Client) -> None:
    assert code(pen.ask("GET", "/_//id-in/cse-in", PEN)) == "4004"


def test_base_says_where_it_is_reached() -> None:
    there = ("https://m2m.example:8422",)
    with running("sqlite://", cse=CSE(points_of_access=there)) as platform:
        assert platform.ask("GET", "/cse-in").body["m2m:cb"]["poa"] == list(there)


# --- content


def test_created_resource_is_told_as_it_is_wanted(pen: Client) -> None:
    def made(rcn: int) -> Any:
        return pen.ask("POST", f"/{PEN}?rcn={rcn}", PEN, 3, {"m2m:cnt": {"rn": f"c{rcn}"}})

    assert made(0).body is None
    assert made(1).body["m2m:cnt"]["rn"] == "c1"
    assert made(2).body == {"m2m:uri": "cse-in/pen/c2"}
    both = made(3)
    assert both.body["m2m:rce"]["uri"] == "cse-in/pen/c3"
    assert both.body["m2m:rce"]["m2m:cnt"]["rn"] == "c3"
    assert both.headers["CONTENT-LOCATION"] == "cse-in/pen/c3"
    assert code(made(12)) == "4000"


@pytest.mark.parametrize("rcn", [1, 4, 5, 8])
def test_deleted_resource_is_told_as_it_was(pen: Client, rcn: int) -> None:
    answer = pen.ask("DELETE", f"/{PEN}?rcn={rcn}", PEN)
    assert (answer.status, code(answer)) == (200, "2002")
    shown = answer.body["m2m:ae"]
    assert ("aei" in shown) is (rcn != 8)
    assert ("m2m:cnt" in shown) is (rcn in (4, 8))
    assert ("ch" in shown) is (rcn == 5)


def test_only_the_attributes_that_are_wanted_are_shown(pen: Client) -> None:
    answer = pen.ask("GET", f"/{PEN}?atrl=rn+api", PEN)
    assert answer.body == {"m2m:ae": {"rn": "pen", "api": "Norg.muster"}}
    assert code(pen.ask("GET", f"/{PEN}?atrl=nothing", PEN)) == "4000"


def test_creator_is_told_if_it_is_asked_for(pen: Client) -> None:
    made = pen.ask("POST", f"/{PEN}", PEN, 3, {"m2m:cnt": {"rn": "mine", "cr": None}})
    assert made.body["m2m:cnt"]["cr"] == PEN
    lied = pen.ask("POST", f"/{PEN}", PEN, 3, {"m2m:cnt": {"cr": "Cother"}})
    assert code(lied) == "4000"
    assert code(pen.ask("PUT", "/cse-in/pen/mine", PEN, None, {"m2m:cnt": {"cr": "C"}})) == "4000"
    plain = pen.ask("POST", f"/{PEN}", PEN, 3, {"m2m:cnt": {"rn": "plain"}})
    assert "cr" not in plain.body["m2m:cnt"]


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("application/vnd.onem2m-res+json", "application/vnd.onem2m-res+json"),
        ("text/html, application/vnd.onem2m-res+json;q=1", "application/vnd.onem2m-res+json"),
        ("application/json", "application/json"),
        ("*/*", "application/json"),
        ("application/cbor", "application/cbor"),
        ("application/xml, application/vnd.onem2m-res+cbor", "application/vnd.onem2m-res+cbor"),
        ("application/xml", "application/json"),
    ],
)
def test_answer_has_the_media_type_that_is_accepted(pen: Client, accept: str, wanted: str) -> None:
    answer = pen.ask("GET", f"/{PEN}", PEN, headers={"Accept": accept})
    assert answer.headers["CONTENT-TYPE"] == wanted


@pytest.mark.parametrize(
    ("attribute", "value"),
    [("csz", ["text/html"]), ("csz", "application/json"), ("hael", ["C a"]), ("hael", [1])],
)
def test_values_that_mean_nothing_are_refused(pen: Client, attribute: str, value: Any) -> None:
    if attribute == "hael":
        body = {"m2m:nod": {"ni": "x", "hael": value}}
        assert code(pen.ask("POST", "/cse-in", ty=14, document=body)) == "4000"
        return
    assert code(pen.ask("PUT", f"/{PEN}", PEN, None, {"m2m:ae": {attribute: value}})) == "4000"


def test_management_object_that_is_not_here_is_not_called_malformed(pen: Client) -> None:
    pen.ask("POST", "/cse-in", ty=14, document={"m2m:nod": {"rn": "nod", "ni": "x"}})
    battery = {"m2m:bat": {"mgd": 1006, "btl": 23, "bts": 5}}
    answer = pen.ask("POST", "/cse-in/nod", ty=13, document=battery)
    assert (answer.status, code(answer)) == (501, "5001")


# --- ids that the platform assigns


@pytest.mark.parametrize("originator", ["C", ""])
def test_account_is_registered_without_naming_itself(platform: Client, originator: str) -> None:
    token = platform.account(PEN)
    answer = platform.ask("POST", "/cse-in", originator, 2, AE, token=token)
    assert answer.body["m2m:ae"]["aei"] == PEN
    assert code(platform.ask("GET", f"/{PEN}", PEN)) == "2000"
    again = platform.ask("POST", "/cse-in", originator, 2, AE, token=token)
    assert code(again) == "4117"


def test_nobody_is_assigned_an_id_for_anything_else(platform: Client) -> None:
    token = platform.account(PEN)
    assert code(platform.ask("GET", "/cse-in", "C", token=token)) == "4107"
    assert code(platform.ask("GET", "/cse-in", "", token=token)) == "4000"
    assert platform.ask("POST", "/cse-in", "C", 2, AE, token="mst_wrong").status == 401
    assert code(platform.ask("POST", "/cse-in", "C", 2, AE, token=ADMIN_TOKEN)) == "4107"


# --- every answer has a response status code


@pytest.mark.parametrize(
    ("method", "to", "more", "wanted"),
    [
        ("PATCH", "/cse-in", {}, (405, "4005")),
        ("GET", "/cse-in", {"token": None}, (401, "4107")),
        ("GET", "/cse-in", {"token": "mst_wrong"}, (401, "4107")),
        ("POST", "/cse-in", {"document": {"x": "y" * 40_000}, "ty": 3}, (413, "4000")),
        ("GET", "/cse-in", {"headers": {"X-M2M-RI": None}}, (400, "4000")),
        ("GET", "/cse-in", {"headers": {"X-M2M-Origin": None}}, (400, "4000")),
        ("GET", "/cse-in?wrong=1", {}, (400, "4000")),
    ],
)
def test_every_answer_has_a_response_status_code(
    pen: Client, method: str, to: str, more: dict[str, Any], wanted: tuple[int, str]
) -> None:
    more = dict(more)  # the next one with these values finds them whole
    ty, document = more.pop("ty", None), more.pop("document", None)
    answer = pen.ask(method, to, "CAdmin", ty, document, **more)
    assert (answer.status, code(answer)) == wanted


def test_busy_database_is_told_in_onem2ms_form(
    pen: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from muster_server.errors import Unavailable
    from muster_server.platform_server import service

    def busy(*ignored: object) -> None:
        raise Unavailable("the database is busy", retry_s=2)

    monkeypatch.setattr(service.Platform, "carry_out", busy)
    answer = pen.ask("GET", "/cse-in")
    assert (answer.status, code(answer), answer.headers["RETRY-AFTER"]) == (503, "5000", "2")
    assert answer.headers["X-M2M-RI"] == "r1"
