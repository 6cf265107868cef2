# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does the platform promise to whoever makes several resources at once?"""

import json
from typing import Any

import pytest
import requests

from tests.host_server.platform_server.behaviour import Answer
from tests.host_server.platform_server.client import ADMIN_TOKEN, Client
from tests.host_server.platform_server.receiver import Receiver
from tests.host_server.platform_server.town import PEN, Town, contents

NODE = "/cse-in/nod-P"
_FIRMWARE = {"mgd": 1001, "vr": "1.29", "fwn": "MicroPython", "url": "", "ud": False}
_SOFTWARE = {"mgd": 1002, "vr": "0.1", "swn": "muster"}


@pytest.fixture
def node(platform: Client) -> Client:
    platform.tokens["CAdmin"] = ADMIN_TOKEN
    made = {"m2m:nod": {"rn": "nod-P", "ni": "P"}}
    assert platform.ask("POST", "/cse-in", ty=14, document=made).status == 201
    return platform


def make(node: Client, made: Any, path: str = NODE, token: str = ADMIN_TOKEN) -> Answer:
    body = json.dumps({"made": made}).encode()
    return node.http("POST", f"/children{path}", body=body, token=token)


def of(root: str, rn: str, **attributes: Any) -> dict[str, Any]:
    return {"ty": 13, "pc": {root: {"rn": rn, **attributes}}}


def test_all_are_made_and_told_as_if_each_had_come_alone(node: Client) -> None:
    answer = make(node, [of("m2m:fwr", "fwr", **_FIRMWARE), of("m2m:swr", "swr", **_SOFTWARE)])
    assert [each["rsc"] for each in answer.body["made"]] == [2001, 2001]
    firmware = node.ask("GET", f"{NODE}/fwr")
    assert answer.body["made"][0]["pc"] == firmware.body
    assert node.ask("GET", f"{NODE}/swr").body["m2m:swr"]["swn"] == "muster"


def test_what_is_refused_leaves_nothing_and_keeps_nobody_else_out(node: Client) -> None:
    wrong = of("m2m:fwr", "other", **_FIRMWARE | {"ud": "no"})
    twice = of("m2m:swr", "swr", **_SOFTWARE)
    answer = make(node, [wrong, twice, twice, {"ty": 2, "pc": {"m2m:ae": {}}}])
    assert [each["rsc"] for each in answer.body["made"]][:3] == [4000, 2001, 4105]
    assert answer.body["made"][3]["rsc"] >= 4000
    assert "m2m:dbg" in answer.body["made"][0]["pc"]
    assert node.ask("GET", f"{NODE}/other").status == 404


def test_subscriber_is_told_of_what_was_made_and_of_nothing_else(
    town: Town, news: Receiver
) -> None:
    town.subscribe([news.url])
    readings: list[dict[str, Any]] = [
        {"ty": 4, "pc": {"m2m:cin": {"con": "1"}}},
        {"ty": 4, "pc": {"m2m:cin": {"rn": "no"}}},
        {"ty": 4, "pc": {"m2m:cin": {"con": "2"}}},
    ]
    answer = requests.post(
        f"{town.url}/children/cse-in/{PEN}/data",
        json={"made": readings},
        headers={"Authorization": f"Bearer {ADMIN_TOKEN}"},
        timeout=20,
    )
    assert [each["rsc"] for each in answer.json()["made"]] == [2001, 4000, 2001]
    assert contents(news.wait_for(3)) == ["1", "2"]


@pytest.mark.parametrize(
    "made",
    [None, [], {}, [7], [{"ty": "13", "pc": {}}], [{"ty": 13}], [{"ty": True, "pc": {}}]],
)
def test_what_is_no_list_of_creations_is_refused(node: Client, made: Any) -> None:
    answer = make(node, made)
    assert (answer.status, answer.body["code"]) == (400, "request_refused")


def test_more_than_fit_are_refused(node: Client) -> None:
    answer = make(node, [of("m2m:swr", f"swr{n}", **_SOFTWARE) for n in range(33)])
    assert answer.status == 400
    assert node.ask("GET", f"{NODE}/swr0").status == 404


def test_there_must_be_a_resource_to_make_them_under(node: Client) -> None:
    answer = make(node, [of("m2m:swr", "swr", **_SOFTWARE)], "/cse-in/nod-Q")
    assert answer.status == 404


def test_only_the_administrator_makes_them(node: Client) -> None:
    token = node.account("Cpen0123456789")
    answer = make(node, [of("m2m:swr", "swr", **_SOFTWARE)], token=token)
    assert answer.status == 401
    assert node.ask("GET", f"{NODE}/swr").status == 404
