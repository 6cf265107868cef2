# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does the platform promise about containers and content instances?"""

from collections.abc import Iterator
from typing import Any

import pytest

from muster_server.platform_server.bounds import Bounds
from muster_server.platform_server.timestamps import timestamp
from tests.host_server.platform_server.client import Client, running

PEN = "Cpen0123456789"
DATA = "/cse-in/pen/data"


@pytest.fixture
def pen() -> Iterator[Client]:
    """An AE that may have 5 instances per container."""
    with running("sqlite://", bounds=Bounds(instances_per_container=5)) as platform:
        platform.register(PEN, rn="pen")
        yield platform


def _container(pen: Client, **attributes: object) -> None:
    answer = pen.ask("POST", "/cse-in/pen", PEN, 3, {"m2m:cnt": {"rn": "data"} | attributes})
    assert answer.status == 201


def _publish(pen: Client, *contents: object) -> None:
    for content in contents:
        assert pen.ask("POST", DATA, PEN, 4, {"m2m:cin": {"con": content}}).status == 201


def _contents(pen: Client) -> list[object]:
    shown = pen.ask("GET", f"{DATA}?rcn=4", PEN).body["m2m:cnt"]
    return [instance["con"] for instance in shown.get("m2m:cin", [])]


@pytest.mark.parametrize("edge", ["la", "ol"])
def test_empty_container_has_no_latest_and_no_oldest(pen: Client, edge: str) -> None:
    _container(pen)
    answer = pen.ask("GET", f"{DATA}/{edge}", PEN)
    assert (answer.status, answer.headers["X-M2M-RSC"]) == (404, "4004")


def test_latest_and_oldest_follow_what_is_published(pen: Client) -> None:
    _container(pen)
    _publish(pen, "1", "2", "3")
    assert pen.ask("GET", f"{DATA}/la", PEN).body["m2m:cin"]["con"] == "3"
    assert pen.ask("GET", f"{DATA}/ol", PEN).body["m2m:cin"]["con"] == "1"


def test_oldest_go_when_there_are_more_than_mni(pen: Client) -> None:
    _container(pen, mni=2)
    _publish(pen, "1", "2", "3")
    shown = pen.ask("GET", DATA, PEN).body["m2m:cnt"]
    assert _contents(pen) == ["2", "3"]
    assert (shown["cni"], shown["cbs"], shown["st"]) == (2, 2, 3)


def test_oldest_go_when_there_are_more_bytes_than_mbs(pen: Client) -> None:
    _container(pen, mbs=5)
    _publish(pen, "123", "12", "1")
    assert _contents(pen) == ["12", "1"]


def test_smaller_mni_takes_effect_at_once(pen: Client) -> None:
    _container(pen)
    _publish(pen, "1", "2", "3")
    pen.ask("PUT", DATA, PEN, None, {"m2m:cnt": {"mni": 1}})
    assert _contents(pen) == ["3"]


def test_platform_has_a_limit_of_its_own(pen: Client) -> None:
    _container(pen, mni=1_000_000)
    _publish(pen, *range(7))
    assert _contents(pen) == [2, 3, 4, 5, 6]


def test_deleted_instance_is_counted_out(pen: Client) -> None:
    _container(pen)
    _publish(pen, "1", "22")
    assert pen.ask("DELETE", f"{DATA}/la", PEN).status == 200
    shown = pen.ask("GET", DATA, PEN).body["m2m:cnt"]
    assert (shown["cni"], shown["cbs"]) == (1, 1)
    assert pen.ask("GET", f"{DATA}/la", PEN).body["m2m:cin"]["con"] == "1"


def test_expired_instances_are_counted_out(pen: Client) -> None:
    _container(pen)
    soon = timestamp(pen.clock.now_s + 60)
    for content in ("22", "333"):
        instance = {"m2m:cin": {"con": content, "et": soon}}
        assert pen.ask("POST", DATA, PEN, 4, instance).status == 201
    _publish(pen, "1")
    pen.clock.now_s += 61
    shown = pen.ask("GET", DATA, PEN).body["m2m:cnt"]
    assert (_contents(pen), shown["cni"], shown["cbs"]) == (["1"], 1, 1)


def test_deleting_an_ae_takes_everything_under_it(pen: Client) -> None:
    _container(pen)
    _publish(pen, "1")
    assert pen.ask("DELETE", f"/{PEN}", PEN).status == 200
    assert pen.ask("GET", "/cse-in?fu=1").body == {"m2m:uril": []}


def test_content_comes_back_as_it_was(pen: Client) -> None:
    _container(pen)
    for content in ("20 °C", "", 3, 2.5, True, {"t": [1, None]}):
        _publish(pen, content)
        assert pen.ask("GET", f"{DATA}/la", PEN).body["m2m:cin"]["con"] == content


@pytest.fixture
def full(pen: Client) -> Client:
    """With a container."""
    pen.ask("POST", f"/{PEN}", PEN, 3, {"m2m:cnt": {"rn": "data"}})
    return pen


def test_instance_is_gone_when_it_was_retrieved_as_often_as_it_may_be(full: Client) -> None:
    full.ask("POST", DATA, PEN, 4, {"m2m:cin": {"rn": "x", "con": "1", "dcnt": 3}})
    assert full.ask("GET", "/cse-in/pen/data/x", PEN).body["m2m:cin"]["dcnt"] == 3
    assert (
        full.ask("GET", "/cse-in/pen/data?rcn=8", PEN).body["m2m:cnt"]["m2m:cin"][0]["dcnt"] == 2
    )
    assert len(full.ask("GET", "/cse-in/pen?fu=1&ty=4", PEN).body["m2m:uril"]) == 1
    assert full.ask("GET", "/cse-in/pen/data/la", PEN).body["m2m:cin"]["dcnt"] == 1
    assert full.ask("GET", "/cse-in/pen/data/x", PEN).status == 404
    assert full.ask("GET", DATA, PEN).body["m2m:cnt"]["cni"] == 0


@pytest.mark.parametrize("value", [0, -1, True, "3", 2**31])
def test_count_of_retrievals_is_a_number_from_1(full: Client, value: Any) -> None:
    answer = full.ask("POST", DATA, PEN, 4, {"m2m:cin": {"con": "1", "dcnt": value}})
    assert answer.headers["X-M2M-RSC"] == "4000"


def test_time_of_the_measurement_is_kept(full: Client) -> None:
    about = {"con": "1", "dgt": "20261123T075904"}
    full.ask("POST", DATA, PEN, 4, {"m2m:cin": about})
    assert full.ask("GET", "/cse-in/pen/data/la", PEN).body["m2m:cin"]["dgt"] == about["dgt"]
    wrong = full.ask("POST", DATA, PEN, 4, {"m2m:cin": {"con": "1", "dgt": "now"}})
    assert wrong.headers["X-M2M-RSC"] == "4000"


def test_nothing_is_retrieved_from_a_container_that_disables_it(full: Client) -> None:
    full.ask("PUT", DATA, PEN, document={"m2m:cnt": {"disr": True}})
    for n in range(3):
        made = full.ask("POST", DATA, PEN, 4, {"m2m:cin": {"rn": f"c{n}", "con": "1"}})
        assert made.status == 201
    for method, where in (("GET", "c1"), ("GET", "la"), ("GET", "ol"), ("DELETE", "c1")):
        for originator in (PEN, "CAdmin"):
            answer = full.ask(method, f"/cse-in/pen/data/{where}", originator)
            assert answer.headers["X-M2M-RSC"] == "4005"
    assert "m2m:cin" not in full.ask("GET", "/cse-in/pen/data?rcn=8", PEN).body["m2m:cnt"]
    assert full.ask("GET", "/cse-in/pen?fu=1&ty=4", PEN).body["m2m:uril"] == []


@pytest.mark.parametrize("lifted", [False, None])
def test_what_was_kept_from_retrieval_is_removed_before_it_can_be_retrieved(
    full: Client, lifted: bool | None
) -> None:
    full.ask("PUT", DATA, PEN, document={"m2m:cnt": {"disr": True}})
    full.ask("POST", DATA, PEN, 4, {"m2m:cin": {"rn": "old", "con": "1"}})
    answer = full.ask("PUT", DATA, PEN, document={"m2m:cnt": {"disr": lifted}})
    counts = answer.body["m2m:cnt"]
    assert (counts["cni"], counts["cbs"]) == (0, 0)
    full.ask("POST", DATA, PEN, 4, {"m2m:cin": {"con": "2"}})
    assert full.ask("GET", "/cse-in/pen/data/ol", PEN).body["m2m:cin"]["con"] == "2"
    assert full.ask("DELETE", DATA, PEN).status == 200
