# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does the platform promise to whoever makes the nodes of several devices at once?"""

import json
from typing import Any

import pytest
import requests

from tests.host_server.platform_server.behaviour import Answer
from tests.host_server.platform_server.client import ADMIN_TOKEN, Client
from tests.host_server.platform_server.receiver import Receiver
from tests.host_server.platform_server.town import Town

PEN, CUP = "Cpen0123456789", "Ccup0123456789"
_SOFTWARE = {"mgd": 1002, "vr": "0.1", "swn": "muster"}


def software(rn: str = "swr", **more: Any) -> dict[str, Any]:
    return {"m2m:swr": {"rn": rn, **_SOFTWARE, **more}}


def node(device_id: str, originator: str, *objects: dict[str, Any]) -> dict[str, Any]:
    named = {"id": device_id, "originator": originator, "policy": "owner:a"}
    return {**named, "objects": list(objects)}


def make(platform: Client, *nodes: Any, token: str = ADMIN_TOKEN) -> Answer:
    body = json.dumps({"nodes": nodes}).encode()
    return platform.http("POST", "/nodes", body=body, token=token)


def codes(answer: Answer) -> list[int]:
    return [each["rsc"] for each in answer.body["nodes"]]


@pytest.fixture
def admin(platform: Client) -> Client:
    platform.tokens["CAdmin"] = ADMIN_TOKEN
    return platform


def test_nodes_are_as_if_each_had_been_made_alone(admin: Client) -> None:
    answer = make(admin, node("P", PEN, software()), node("Q", CUP, software("one")))
    assert codes(answer) == [2001, 2001]
    alone = {"m2m:nod": {"rn": "nod-R", "ni": "muster:R", "hael": ["Cr"]}}
    assert admin.ask("POST", "/cse-in", ty=14, document=alone).status == 201
    admin.ask("POST", "/cse-in/nod-R", ty=13, document=software())
    for path, own in (("", ("ri", "rn", "ni", "hael", "ct", "lt")), ("/swr", ("ri", "pi", "ct"))):
        kinds = [admin.ask("GET", f"/cse-in/nod-{name}{path}").body for name in "PR"]
        (made,), (other,) = (list(kind.values()) for kind in kinds)
        assert kinds[0].keys() == kinds[1].keys() and made.keys() == other.keys()
        same = made.keys() - {*own, "lt"}
        assert {name: made[name] for name in same} == {name: other[name] for name in same}
    one = admin.ask("GET", "/cse-in/nod-Q/one").body["m2m:swr"]
    assert answer.body["nodes"][1]["marks"] == {"one": one["lt"]}
    assert admin.ask("GET", "/cse-in/nod-P").body["m2m:nod"]["hael"] == [PEN]


def test_again_makes_what_is_missing_and_changes_nothing(admin: Client) -> None:
    first = make(admin, node("P", PEN, software()))
    again = make(admin, node("P", PEN, software(), software("two")))
    assert codes(again) == [2001]
    assert again.body["nodes"][0]["marks"]["swr"] == first.body["nodes"][0]["marks"]["swr"]
    assert admin.ask("GET", "/cse-in/nod-P/two").status == 200


@pytest.mark.parametrize(
    "other",
    [
        node("P", PEN, software("new"), software(vr="0.2")),  # an object that is another
        node("P", CUP, software("new")),  # of another AE
        node("Q", PEN, software("new")),  # an AE of another node
        node("P", PEN, software("new"), software("wrong", vr=7)),
        node("P", PEN, software("new"), software("wrong", acpi=["cse-in/x"])),
        node("P", PEN, software("new"), {"m2m:swr": _SOFTWARE}),  # without a name
        node("P/x", CUP, software("new")),
    ],
)
def test_node_that_is_refused_is_left_as_it_was(admin: Client, other: dict[str, Any]) -> None:
    make(admin, node("P", PEN, software()))
    answer = make(admin, other, node("R", "Cr", software()))
    assert codes(answer)[0] >= 4000 and codes(answer)[1] == 2001
    assert answer.body["nodes"][0]["marks"] == {}
    found = admin.ask("GET", "/cse-in?fu=1&ty=13").body["m2m:uril"]
    assert sorted(found) == ["cse-in/nod-P/swr", "cse-in/nod-R/swr"]


def test_entity_and_node_find_each_other_whichever_comes_first(admin: Client) -> None:
    about = {"api": "N1", "rr": False, "srv": ["4"]}
    for originator in (PEN, CUP):
        admin.account(originator)
        if originator == CUP:
            make(admin, node("P", PEN), node("Q", CUP))
        entity = {"m2m:ae": {"rn": originator, **about}}
        assert admin.ask("POST", "/cse-in", originator, 2, entity).status == 201
    for originator, name in ((PEN, "nod-P"), (CUP, "nod-Q")):
        entity = admin.ask("GET", f"/cse-in/{originator}", originator).body["m2m:ae"]
        assert entity["nl"] == admin.ask("GET", f"/cse-in/{name}").body["m2m:nod"]["ri"]


def test_policy_names_those_who_have_an_account(admin: Client) -> None:
    admin.account(PEN)
    assert codes(make(admin, node("P", PEN), node("Q", CUP))) == [2001, 2001]
    path = "/readers/Creader01?policy=owner:a&token_id=t1"
    admin.tokens["Creader01"] = admin.http("PUT", path, token=ADMIN_TOKEN).body["token"]
    entity = {"m2m:ae": {"rn": PEN, "api": "N1", "rr": False, "srv": ["4"]}}
    admin.ask("POST", "/cse-in", PEN, 2, entity)
    assert admin.ask("GET", f"/cse-in/{PEN}", "Creader01").status == 200


def test_who_subscribes_to_the_base_is_told_of_new_nodes(town: Town, news: Receiver) -> None:
    about = {"rn": "s", "nu": [news.url], "enc": {"net": [3], "chty": [14]}}
    town.create("/cse-in", "CAdmin", 23, "m2m:sub", **about)
    answer = requests.post(
        f"{town.url}/nodes",
        json={"nodes": [node("P", PEN, software()), node("Q", CUP)]},
        headers={"Authorization": f"Bearer {ADMIN_TOKEN}"},
        timeout=20,
    )
    assert answer.status_code == 200
    said = [each["m2m:sgn"] for each in news.wait_for(3)]  # the first is a question
    told = [each["nev"]["rep"]["m2m:nod"]["rn"] for each in said if "nev" in each]
    assert told == ["nod-P", "nod-Q"]


def test_node_whose_objects_are_told_of_is_for_single_requests(town: Town, news: Receiver) -> None:
    town.create("/cse-in", "CAdmin", 14, "m2m:nod", rn="nod-P", ni="P", hael=[PEN])
    town.create("/cse-in/nod-P", "CAdmin", 23, "m2m:sub", nu=[news.url], enc={"net": [3]})
    answer = requests.post(
        f"{town.url}/nodes",
        json={"nodes": [node("P", PEN, software())]},
        headers={"Authorization": f"Bearer {ADMIN_TOKEN}"},
        timeout=20,
    )
    assert answer.json()["nodes"][0]["rsc"] == 4105


@pytest.mark.parametrize(
    "nodes",
    [
        [],
        [7],
        [{}],
        [node("P", "")],
        [node("P", PEN, software()) | {"objects": {}}],
        [node("P", PEN) | {"objects": [7]}],
        [node("P", PEN, *(software(f"s{n}") for n in range(17)))],
        [node("P", PEN), node("P", CUP)],
        [node(f"P{n}", f"C{n}") for n in range(33)],
    ],
)
def test_what_is_no_list_of_nodes_is_refused(admin: Client, nodes: list[Any]) -> None:
    answer = make(admin, *nodes)
    assert (answer.status, answer.body["code"]) == (400, "request_refused")
    assert admin.ask("GET", "/cse-in?fu=1&ty=14").body["m2m:uril"] == []


def test_only_the_administrator_makes_them(admin: Client) -> None:
    answer = make(admin, node("P", PEN), token=admin.account(PEN))
    assert answer.status == 401
    assert admin.ask("GET", "/cse-in/nod-P").status == 404
