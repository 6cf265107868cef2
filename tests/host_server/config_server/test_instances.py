# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Is a platform's answer read as what it is, whoever runs the platform?"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import Response

from muster_server.config_server import instances
from muster_server.config_server.instances import NotAllowed, Place, readings_at
from muster_server.errors import NoAnswer, ServiceUnreachable
from tests.host_server.serving import served

TOKEN = "mst_" + "r" * 43


class Stranger:
    """A platform that answers what it is told to, and keeps what it was asked."""

    def __init__(self) -> None:
        self.rsc, self.body, self.asked = "2000", b"{}", {}  # type: tuple[str, bytes, dict[str, str]]
        self.app = FastAPI()
        self.app.get("/{to:path}")(self.answer)

    def answer(self, request: Request) -> Response:
        self.asked = dict(request.headers) | {"url": str(request.url)}
        return Response(self.body, 200, {"X-M2M-RSC": self.rsc} if self.rsc else {})

    def holds(self, *instances: dict[str, Any]) -> None:
        self.body = json.dumps({"m2m:cnt": {"rn": "data", "m2m:cin": instances}}).encode()


@pytest.fixture(scope="module")
def served_stranger() -> Iterator[tuple[Stranger, str]]:
    stranger = Stranger()
    with served(stranger.app) as url:
        yield stranger, url


@pytest.fixture
def stranger(served_stranger: tuple[Stranger, str]) -> tuple[Stranger, Place]:
    found, url = served_stranger
    found.rsc, found.body = "2000", b"{}"
    return found, Place(url, "/cse-in/Cx/data", "Creader", token=TOKEN)


def cin(n: int, con: Any, ct: str = "20261123T0759{n:02},5") -> dict[str, Any]:
    return {"ri": f"cin{n}", "ct": ct.format(n=n), "con": con}


def test_readings_come_in_the_order_of_their_age(stranger: tuple[Stranger, Place]) -> None:
    platform, place = stranger
    published = json.dumps({"name": "t", "value": 1.5})
    platform.holds(cin(7, {"name": "t", "value": [2]}), cin(3, published), cin(5, "of others"))
    found = readings_at(place)
    shown = [(reading.id, reading.name, reading.value) for reading in found]
    assert shown == [("cin3", "t", 1.5), ("cin5", None, "of others"), ("cin7", "t", [2])]
    assert found[0].at == pytest.approx(1_795_420_743.5)
    assert platform.asked["x-m2m-origin"] == "Creader"
    assert platform.asked["authorization"] == f"Bearer {TOKEN}"
    assert platform.asked["url"].endswith("/cse-in/Cx/data?rcn=4&ty=4")


def test_container_that_is_not_there_yet_holds_nothing(stranger: tuple[Stranger, Place]) -> None:
    platform, place = stranger
    platform.rsc = "4004"
    assert readings_at(place) == []
    platform.rsc, platform.body = "2000", b'{"m2m:cnt":{"rn":"data"}}'
    assert readings_at(place) == []


@pytest.mark.parametrize("rsc", ["4103", "4107", "5000", "", "x"])
def test_refusal_is_one(stranger: tuple[Stranger, Place], rsc: str) -> None:
    platform, place = stranger
    platform.rsc = rsc
    with pytest.raises(NotAllowed if rsc == "4103" else ServiceUnreachable) as caught:
        readings_at(place)
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b'{"m2m:cnt":5}',
        b'{"m2m:cnt":{"m2m:cin":5}}',
        b'{"m2m:cnt":{"m2m:cin":[5]}}',
        b'{"m2m:cnt":{"m2m:cin":[{"con":"no id"}]}}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_container_is_refused(stranger: tuple[Stranger, Place], body: bytes) -> None:
    platform, place = stranger
    platform.body = body
    with pytest.raises(ServiceUnreachable):
        readings_at(place)


@pytest.mark.parametrize("con", [None, 5, "{", "[" * 5000, '{"name":5,"value":1}', {"name": "t"}])
def test_content_of_another_form_is_shown_as_it_is(
    stranger: tuple[Stranger, Place], con: Any
) -> None:
    platform, place = stranger
    platform.holds(cin(1, con, "yesterday"))
    (reading,) = readings_at(place)
    assert (reading.name, reading.at) == (None, None)


def test_answer_without_end_is_cut(
    stranger: tuple[Stranger, Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    platform, place = stranger
    monkeypatch.setattr(instances, "_LONGEST_ANSWER_BYTES", 1000)
    platform.body = b"x" * 2000
    with pytest.raises(ServiceUnreachable, match="more than 1000 bytes"):
        readings_at(place)


def test_platform_that_is_away_is_said_so() -> None:
    with pytest.raises(NoAnswer):
        readings_at(Place("http://127.0.0.1:9", "/x", "Creader"))
