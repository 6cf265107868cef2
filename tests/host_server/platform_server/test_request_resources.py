# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does the platform promise to whoever wants an answer later?"""

import time
from typing import Any

import pytest

from muster_server.platform_server import request_resources
from tests.host_server.platform_server.client import Client, running
from tests.host_server.platform_server.receiver import Receiver
from tests.host_server.platform_server.town import CUP, PEN, Town, code

PATIENCE_S = 10.0


def accepted(town: Town, method: str, to: str, **more: Any) -> str:
    """The address of the request that was accepted."""
    answer = town.ask(method, to, PEN, **more)
    assert (answer.status_code, code(answer)) == (202, "1001"), answer.text
    return "/" + str(answer.json()["m2m:uri"])


def done(town: Town, where: str) -> dict[str, Any]:
    """The request when it is no longer pending; AssertionError if it stays so."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        kept: dict[str, Any] = town.ask("GET", where, PEN).json()["m2m:req"]
        if kept["rs"] != request_resources.PENDING:
            return kept
        time.sleep(0.02)
    raise AssertionError("it is still pending")


def test_result_is_found_in_the_request(town: Town) -> None:
    body = {"m2m:cnt": {"rn": "later"}}
    kept = done(town, accepted(town, "POST", f"/{PEN}?rt=1", ty=3, body=body))
    assert (kept["rs"], kept["op"], kept["org"], kept["rid"]) == (1, 1, PEN, "r1")
    assert kept["tg"] == PEN
    assert kept["pc"] == body
    assert (kept["ors"]["rsc"], kept["ors"]["pc"]["m2m:cnt"]["rn"]) == (2001, "later")
    assert town.ask("GET", f"/cse-in/{PEN}/later", PEN).status_code == 200


def test_refusal_is_found_there_too(town: Town) -> None:
    kept = done(town, accepted(town, "GET", "/nothing?rt=1"))
    assert (kept["rs"], kept["ors"]["rsc"]) == (request_resources.FAILED, 4004)
    assert "m2m:dbg" in kept["ors"]["pc"]


def test_it_waits_for_its_time_and_is_pending_until_then(town: Town) -> None:
    where = accepted(town, "DELETE", f"/cse-in/{PEN}/data?rt=1", X_M2M_OET="1500")
    assert town.ask("GET", where, PEN).json()["m2m:req"]["rs"] == request_resources.PENDING
    assert town.ask("GET", f"/cse-in/{PEN}/data", PEN).status_code == 200
    assert done(town, where)["ors"]["rsc"] == 2002
    assert town.ask("GET", f"/cse-in/{PEN}/data", PEN).status_code == 404


def test_it_goes_when_its_time_is_over(town: Town) -> None:
    where = accepted(town, "GET", f"/{PEN}?rt=1&rp=PT1S")
    deadline = time.monotonic() + PATIENCE_S
    while town.ask("GET", where, PEN).status_code != 404:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_it_is_its_originators_alone(town: Town) -> None:
    town.register(CUP)
    where = accepted(town, "GET", f"/{PEN}?rt=1")
    assert code(town.ask("GET", where, CUP)) == "4103"
    assert "req" not in town.ask("GET", "/cse-in?fu=1", CUP).text
    assert where[1:] in town.ask("GET", "/cse-in?fu=1&ty=17", PEN).json()["m2m:uril"]
    assert code(town.ask("PUT", where, PEN, body={"m2m:req": {"lbl": ["x"]}})) == "4000"
    assert code(town.ask("POST", "/cse-in", PEN, 17, {"m2m:req": {}})) == "4005"
    assert code(town.ask("DELETE", where, PEN)) == "2002"


def test_result_is_told_to_the_poa_of_who_asked(town: Town, news: Receiver) -> None:
    town.register(CUP, poa=[news.url])
    unnamed = town.ask("GET", f"/{CUP}?rt=2", CUP)
    named = town.ask("GET", f"/{CUP}?rt=2", CUP, X_M2M_RTU=news.url)
    assert (unnamed.status_code, code(unnamed), code(named)) == (202, "1002", "1002")
    for told in news.wait_for(2):
        assert (told["m2m:rsp"]["rsc"], told["m2m:rsp"]["rqi"]) == (2000, "r1")
        assert told["m2m:rsp"]["pc"]["m2m:ae"]["aei"] == CUP
    assert code(town.ask("GET", f"/{CUP}?rt=2", CUP, X_M2M_RTU="")) == "1002"


@pytest.mark.parametrize("target", ["http://127.0.0.1:1/other", "Cnobody", f"{CUP}&{CUP}/x"])
def test_result_is_told_to_nobody_else(town: Town, target: str) -> None:
    town.register(CUP)
    assert code(town.ask("GET", f"/{PEN}?rt=2", PEN, X_M2M_RTU=target)) == "4000"
    assert code(town.ask("GET", f"/{PEN}?rt=2", PEN)) == "4000"


def test_result_is_polled_by_who_cannot_be_called(town: Town) -> None:
    town.create(f"/{PEN}", PEN, 15, "m2m:pch", rn="ch")
    assert code(town.ask("GET", f"/{PEN}?rt=2", PEN)) == "1002"
    polled = town.ask("GET", f"/cse-in/{PEN}/ch/pcu", PEN).json()["m2m:rqp"]
    assert polled["pc"]["m2m:rsp"]["rsc"] == 2000


def test_so_many_are_kept_and_no_more(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_resources, "MOST_EACH", 3)
    for _ in range(3):
        where = accepted(town, "GET", f"/{PEN}?rt=1")
    assert code(town.ask("GET", f"/{PEN}?rt=1", PEN)) == "5207"
    town.ask("DELETE", where, PEN)
    accepted(town, "GET", f"/{PEN}?rt=1")


def test_result_that_is_too_large_is_said_to_be(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_resources, "MOST_BYTES", 100)
    kept = done(town, accepted(town, "GET", f"/{PEN}?rt=1"))
    assert (kept["rs"], kept["ors"]["rsc"]) == (request_resources.FAILED, 5207)


def test_stranger_has_nothing_accepted(town: Town) -> None:
    town.tokens[PEN] = "mst_wrong"
    assert town.ask("GET", f"/{PEN}?rt=1", PEN).status_code == 401


def test_what_a_restart_left_undone_says_so(tmp_path: Any) -> None:
    url = f"sqlite:///{tmp_path / 'platform.sqlite'}"
    with running(url) as platform:
        platform.register(PEN)
        later = {"X-M2M-OET": "20000"}
        where = platform.ask("DELETE", f"/{PEN}?rt=1", PEN, headers=later).body["m2m:uri"]
        tokens = platform.tokens
    with running(url) as platform:
        platform.tokens = tokens
        kept = platform.ask("GET", f"/{where}", PEN).body["m2m:req"]
        assert (kept["rs"], kept["ors"]["rsc"]) == (request_resources.FAILED, 5000)
        assert platform.ask("GET", f"/{PEN}", PEN).status == 200


def test_places_for_what_waits_are_bounded(
    platform: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from muster_server.platform_server import answering

    monkeypatch.setattr(answering, "_AT_ONCE", 2)
    platform.register(PEN)
    waits = {"X-M2M-OET": "20000"}
    codes = [
        platform.ask("GET", f"/{PEN}?rt=1", PEN, headers=waits).headers["X-M2M-RSC"]
        for _ in range(3)
    ]
    assert codes == ["1001", "1001", "5000"]
