# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does a reader read what its policy names, and nothing else, and write nothing at all?"""

import json

import pytest

from tests.host_server.platform_server.client import ADMIN_TOKEN, Client

MINE, ALSO_MINE, ANOTHERS, READER = "Cmine01", "Cmine02", "Cother01", "Creader01"


@pytest.fixture
def reader(platform: Client) -> Client:
    """Three devices with a reading each; the reader's policy names two of them."""
    for originator in (MINE, ALSO_MINE, ANOTHERS):
        assert platform.register(originator).status == 201
        container = {"m2m:cnt": {"rn": "data"}}
        assert platform.ask("POST", f"/{originator}", originator, 3, container).status == 201
        reading = {"m2m:cin": {"con": '{"name":"t","value":1}'}}
        path = f"/cse-in/{originator}/data"
        assert platform.ask("POST", path, originator, 4, reading).status == 201
    name_in(platform, "owner:a", MINE, ALSO_MINE, "Cnobody")
    open_reader(platform)
    return platform


def open_reader(platform: Client, policy: str = "owner:a", originator: str = READER) -> None:
    answer = platform.http("PUT", f"/readers/{originator}?policy={policy}", token=ADMIN_TOKEN)
    assert answer.status == 201
    platform.tokens[originator] = answer.body["token"]


def name_in(platform: Client, policy: str, *originators: str) -> None:
    body = json.dumps({"originators": originators}).encode()
    headers = {"Content-Type": "application/json"}
    path = f"/policies/{policy}/members"
    assert platform.http("POST", path, headers, body, ADMIN_TOKEN).status == 204


def code(platform: Client, method: str, to: str, *more: object) -> str:
    ty, document = more if more else (None, None)
    return platform.ask(method, to, READER, ty, document).headers["X-M2M-RSC"]  # type: ignore[arg-type]


@pytest.mark.parametrize("path", ["", "/data", "/data/la", "/data/ol", "/data?rcn=4&ty=4"])
def test_reader_retrieves_what_its_policy_names_and_nothing_of_others(
    reader: Client, path: str
) -> None:
    assert code(reader, "GET", f"/cse-in/{MINE}{path}") == "2000"
    assert code(reader, "GET", f"/cse-in/{ALSO_MINE}{path}") == "2000"
    assert code(reader, "GET", f"/cse-in/{ANOTHERS}{path}") == "4103"


def test_reader_discovers_what_its_policy_names_alone(reader: Client) -> None:
    found = reader.ask("GET", "/cse-in?fu=1&ty=4", READER).body["m2m:uril"]
    assert len(found) == 2
    assert not [path for path in found if ANOTHERS in path]
    tree = reader.ask("GET", "/cse-in?rcn=4", READER).body["m2m:cb"]
    assert {entity["rn"] for entity in tree["m2m:ae"]} == {MINE, ALSO_MINE}
    readings = reader.ask("GET", f"/cse-in/{MINE}/data?rcn=4&ty=4", READER).body["m2m:cnt"]
    assert len(readings["m2m:cin"]) == 1


@pytest.mark.parametrize(
    ("method", "to", "more"),
    [
        ("POST", "/cse-in", (2, {"m2m:ae": {"api": "N1", "rr": False, "srv": ["4"], "rn": "x"}})),
        ("POST", f"/{MINE}", (3, {"m2m:cnt": {"rn": "mine"}})),
        ("POST", f"/cse-in/{MINE}/data", (4, {"m2m:cin": {"con": "x"}})),
        ("PUT", f"/{MINE}", (None, {"m2m:ae": {"lbl": ["x"]}})),
        ("DELETE", f"/{MINE}", ()),
        ("DELETE", f"/cse-in/{MINE}/data/la", ()),
    ],
)
def test_reader_changes_nothing(
    reader: Client, method: str, to: str, more: tuple[object, ...]
) -> None:
    assert code(reader, method, to, *more) == "4103"
    assert reader.ask("GET", f"/cse-in/{MINE}/data/la").status == 200


def test_readers_token_is_good_for_its_originator_alone(reader: Client) -> None:
    token = reader.tokens[READER]
    for originator in (MINE, "CAdmin"):
        answer = reader.ask("GET", f"/{MINE}", originator, token=token)
        assert answer.headers["X-M2M-RSC"] == "4107"
    assert reader.http("GET", "/accounts", token=token).status == 401
    assert reader.http("PUT", f"/readers/{READER}?policy=owner:b", token=token).status == 401


def test_policy_is_left_with_the_account_and_the_reader_with_its_own(reader: Client) -> None:
    assert reader.http("DELETE", f"/accounts/{MINE}", token=ADMIN_TOKEN).status == 204
    assert code(reader, "GET", f"/cse-in/{MINE}/data/la") == "4103"
    assert code(reader, "GET", f"/cse-in/{ALSO_MINE}/data/la") == "2000"
    assert reader.http("DELETE", f"/accounts/{READER}", token=ADMIN_TOKEN).status == 204
    assert reader.ask("GET", f"/cse-in/{ALSO_MINE}/data/la", READER).status == 401


def test_device_cannot_become_a_reader_nor_a_reader_a_device(reader: Client) -> None:
    answer = reader.http("PUT", f"/readers/{MINE}?policy=owner:a", token=ADMIN_TOKEN)
    assert (answer.status, answer.body["code"]) == (409, "conflict")
    reader.account(READER)  # another token for what stays a reader
    entity = {"m2m:ae": {"api": "N1", "rr": False, "srv": ["4"], "rn": READER}}
    assert code(reader, "POST", "/cse-in", 2, entity) == "4103"


def test_device_is_not_opened_to_other_devices_by_being_named(reader: Client) -> None:
    answer = reader.ask("GET", f"/cse-in/{MINE}/data/la", ALSO_MINE)
    assert answer.headers["X-M2M-RSC"] == "4103"


@pytest.mark.parametrize("policy", ["", "a/b", "x" * 65, "a%20b"])
def test_policy_that_is_no_name_is_refused(platform: Client, policy: str) -> None:
    answer = platform.http("PUT", f"/readers/{READER}?policy={policy}", token=ADMIN_TOKEN)
    assert answer.status == 422
