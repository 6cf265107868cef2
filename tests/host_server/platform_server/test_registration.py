# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does the platform promise about AEs: their registration, life and limits?"""

import pytest

from muster_server.platform_server.bounds import DAY_S, Bounds
from muster_server.platform_server.timestamps import timestamp
from tests.host_server.platform_server.client import Client, running

PEN = "Cpen0123456789"
CUP = "Ccup0123456789"
LABEL = ["muster:MST-0001"]
AE = {"m2m:ae": {"rn": PEN, "api": "Norg.muster", "rr": False, "srv": ["4"], "lbl": LABEL}}


def test_retried_registration_finds_what_the_lost_reply_told(platform: Client) -> None:
    platform.register(PEN, lbl=LABEL)
    again = platform.ask("POST", "/cse-in", PEN, 2, AE)
    assert (again.status, again.headers["X-M2M-RSC"]) == (403, "4117")
    found = platform.ask("GET", f"/{PEN}", PEN).body["m2m:ae"]
    assert (found["lbl"], found["api"], found["aei"]) == (LABEL, "Norg.muster", PEN)


def test_same_originator_with_another_api_does_not_change_the_ae(platform: Client) -> None:
    platform.register(PEN)
    other = {"m2m:ae": AE["m2m:ae"] | {"api": "Norg.other"}}
    assert platform.ask("POST", "/cse-in", PEN, 2, other).headers["X-M2M-RSC"] == "4117"
    assert platform.ask("GET", f"/{PEN}", PEN).body["m2m:ae"]["api"] == "Norg.muster"


@pytest.mark.parametrize("wrong", [{"api": "?"}, {"rn": CUP}, {"rn": "press"}, {"nl": "nowhere"}])
def test_whatever_else_is_wrong_who_has_an_ae_is_told_that(
    platform: Client, wrong: dict[str, str]
) -> None:
    platform.register(PEN, lbl=LABEL)
    platform.register(CUP)
    answer = platform.ask("POST", "/cse-in", PEN, 2, {"m2m:ae": AE["m2m:ae"] | wrong})
    assert (answer.status, answer.headers["X-M2M-RSC"]) == (403, "4117")


def test_name_of_another_originators_ae_is_a_conflict(platform: Client) -> None:
    platform.register(PEN, rn="press")
    answer = platform.register(CUP, rn="press")
    assert (answer.status, answer.headers["X-M2M-RSC"]) == (409, "4105")
    assert platform.ask("GET", f"/{CUP}", CUP).status == 404


@pytest.mark.parametrize("rn", ["nod-MST-0001", "nod-", CUP])
def test_name_that_is_kept_for_somebody_else_is_a_conflict(platform: Client, rn: str) -> None:
    platform.account(CUP)
    answer = platform.register(PEN, rn=rn)
    assert (answer.status, answer.headers["X-M2M-RSC"]) == (409, "4105")
    assert "take your originator" in answer.body["m2m:dbg"]
    assert platform.register(CUP).status == 201
    node = {"m2m:nod": {"rn": "nod-MST-0001", "ni": "muster:MST-0001"}}
    assert platform.ask("POST", "/cse-in", ty=14, document=node).status == 201


def test_echoes_what_the_request_said_about_itself(platform: Client) -> None:
    answer = platform.register(PEN)
    assert answer.headers["X-M2M-RI"] == "r1"
    assert answer.headers["X-M2M-RVI"] == "4"
    assert answer.headers["X-M2M-OT"].startswith("2026")


def test_ae_that_is_not_renewed_is_removed_with_its_data(platform: Client) -> None:
    end = timestamp(platform.clock.now_s + DAY_S)
    platform.register(PEN, et=end)
    platform.ask("POST", f"/{PEN}", PEN, 3, {"m2m:cnt": {"rn": "data"}})
    platform.clock.now_s += DAY_S + 1
    assert platform.ask("GET", f"/cse-in/{PEN}/data").status == 404
    assert platform.ask("POST", "/cse-in", PEN, 2, AE).status == 201
    assert platform.ask("GET", f"/cse-in/{PEN}/data").status == 404


def test_renewed_ae_keeps_its_data(platform: Client) -> None:
    platform.register(PEN, et=timestamp(platform.clock.now_s + DAY_S))
    platform.ask("POST", f"/{PEN}", PEN, 3, {"m2m:cnt": {"rn": "data"}})
    later = timestamp(platform.clock.now_s + 3 * DAY_S)
    assert platform.ask("PUT", f"/{PEN}", PEN, None, {"m2m:ae": {"et": later}}).status == 200
    platform.clock.now_s += 2 * DAY_S
    shown = platform.ask("GET", f"/cse-in/{PEN}/data", PEN).body["m2m:cnt"]
    assert shown["et"] == later


def test_life_is_limited(platform: Client) -> None:
    answer = platform.register(PEN, et="20991231T235959")
    assert answer.body["m2m:ae"]["et"] < timestamp(platform.clock.now_s + 366 * DAY_S)


def test_number_of_resources_is_limited() -> None:
    with running("sqlite://", bounds=Bounds(resources_per_ae=3)) as platform:
        platform.register(PEN)
        answers = [platform.ask("POST", f"/{PEN}", PEN, 3, {"m2m:cnt": {}}) for _ in range(3)]
        assert [a.headers["X-M2M-RSC"] for a in answers] == ["2001", "2001", "5207"]


def test_depth_is_limited(platform: Client) -> None:
    platform.register(PEN)
    to, codes = f"/cse-in/{PEN}", []
    for _ in range(6):
        codes.append(platform.ask("POST", to, PEN, 3, {"m2m:cnt": {"rn": "c"}}).status)
        to += "/c"
    assert codes == [201] * 5 + [406]


def test_body_is_limited(platform: Client) -> None:
    document = {"m2m:ae": AE["m2m:ae"] | {"apn": "x" * 40_000}}
    platform.account(PEN)
    answer = platform.ask("POST", "/cse-in", PEN, 2, document)
    assert (answer.status, answer.body["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    ("name", "value"),
    [("apn", "x" * 257), ("lbl", ["x"] * 17), ("lbl", ["x" * 257]), ("rn", "x" * 65)],
)
def test_lengths_are_limited(platform: Client, name: str, value: object) -> None:
    platform.account(PEN)
    answer = platform.ask("POST", "/cse-in", PEN, 2, {"m2m:ae": AE["m2m:ae"] | {name: value}})
    assert answer.headers["X-M2M-RSC"] == "4000"
    assert answer.body["m2m:dbg"].startswith(name)


def test_originator_sees_nothing_of_another(platform: Client) -> None:
    platform.register(PEN, lbl=LABEL)
    platform.register(CUP)
    assert platform.ask("GET", f"/{PEN}?rcn=4", CUP).headers["X-M2M-RSC"] == "4103"
    assert platform.ask("GET", f"/cse-in?fu=1&lbl={LABEL[0]}", CUP).body == {"m2m:uril": []}
    assert platform.ask("GET", "/cse-in?fu=1", CUP).body == {"m2m:uril": [f"cse-in/{CUP}"]}
    shown = platform.ask("GET", "/cse-in?rcn=4", CUP).body["m2m:cb"]["m2m:ae"]
    assert [ae["ri"] for ae in shown] == [CUP]


def test_administrator_finds_a_device_by_its_label(platform: Client) -> None:
    platform.register(PEN, lbl=LABEL)
    platform.register(CUP)
    found = platform.ask("GET", f"/cse-in?fu=1&ty=2&lbl={LABEL[0]}").body
    assert found == {"m2m:uril": [f"cse-in/{PEN}"]}


def test_discovery_stays_under_its_target(platform: Client) -> None:
    for originator in (PEN, CUP):
        platform.register(originator)
        container = {"m2m:cnt": {"rn": "data", "lbl": ["readings"]}}
        platform.ask("POST", f"/{originator}", originator, 3, container)
    found = platform.ask("GET", f"/{PEN}?fu=1&lbl=readings").body
    assert found == {"m2m:uril": [f"cse-in/{PEN}/data"]}


def test_restart_keeps_everything(tmp_path_factory: pytest.TempPathFactory) -> None:
    url = f"sqlite:///{tmp_path_factory.mktemp('platform') / 'platform.sqlite'}"
    with running(url) as platform:
        platform.register(PEN, lbl=LABEL)
        platform.ask("POST", f"/{PEN}", PEN, 3, {"m2m:cnt": {"rn": "data", "mni": 2}})
        platform.ask("POST", f"/cse-in/{PEN}/data", PEN, 4, {"m2m:cin": {"con": "21.5"}})
        before, tokens = platform.ask("GET", "/cse-in?rcn=8").body, platform.tokens
    with running(url) as platform:
        platform.tokens = tokens
        assert platform.ask("GET", "/cse-in?rcn=8").body == before
        latest = platform.ask("GET", f"/cse-in/{PEN}/data/la", PEN)
        assert latest.body["m2m:cin"]["con"] == "21.5"
