# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does the direct way of a route answer as the framework's way does, and leave it the rest?"""

import asyncio
import threading
from collections.abc import Iterator

import pytest
import requests
from fastapi import Depends, Request
from fastapi.responses import Response

from muster_server import request_id
from muster_server.direct import Asked, DirectApp, NotDirect, Way
from muster_server.errors import NotFound
from muster_server.in_process import Door
from muster_server.lane import Lane, Runner
from muster_server.threads import Threads
from muster_server.tokens import token_hash
from muster_server.web import bearer, body_within, harden, json_response
from tests.host_server.serving import served

TOKEN = "a-token-that-is-long-enough-for-this-test"  # noqa: S105 - made up
_OPEN = {"Authorization": f"Bearer {TOKEN}"}
_LIMIT_BYTES = 16
_LONG_S = 20


class Town:
    """An app, and which way was taken."""

    def __init__(self, runner: Runner) -> None:
        self.ways: list[str] = []
        self.threads: list[int] = []
        self.app = DirectApp()
        hashes = frozenset({token_hash(TOKEN)})
        guard = Depends(bearer(lambda: hashes))
        read = body_within(_LIMIT_BYTES)

        @self.app.post("/things/{name}", dependencies=[guard])
        async def framework(name: str, request: Request, count: int = 0) -> Response:
            self.ways.append("framework")
            return _answer(name, await read(request), count)

        @self.app.post("/{place:path}")
        async def other(place: str) -> Response:
            return json_response({"place": place})

        way = Way(self._direct, runner, _LIMIT_BYTES, lambda: hashes)
        self.app.direct("POST", "/things/{name}", way)
        self.app.direct("POST", "/{place:path}", Way(self._refuse, Threads(1), _LIMIT_BYTES))
        harden(self.app)

    def _direct(self, asked: Asked) -> Response:
        count = asked.queried("count").get("count", "0")
        if not count.isdecimal():
            raise NotDirect
        self.ways.append("direct")
        self.threads.append(threading.get_ident())
        return _answer(asked.parts["name"], asked.body, int(count))

    @staticmethod
    def _refuse(asked: Asked) -> Response:
        raise NotDirect


def _answer(name: str, body: bytes, count: int) -> Response:
    if name == "none":
        raise NotFound("no such thing")
    if name == "broken":
        raise RuntimeError("with a password in it")
    return json_response({"name": name, "body": body.decode(), "count": count}, 201)


@pytest.fixture(params=["threads", "lane"])
def town(request: pytest.FixtureRequest) -> Iterator[Town]:
    lane = Lane()
    yield Town(lane if request.param == "lane" else Threads(2))
    lane.close()


@pytest.fixture
def url(town: Town) -> Iterator[str]:
    with served(town.app) as url:
        yield url


def _post(url: str, headers: dict[str, str] | None = None, body: bytes = b"") -> requests.Response:
    return requests.post(url, body, headers=headers, timeout=_LONG_S)


@pytest.fixture
def traced() -> Iterator[None]:
    request_id.accompany(dict)
    yield
    request_id.accompany(None)


REQUESTS = [
    ("/things/a%20b?count=3", {**_OPEN}, b"hello"),
    ("/things/none", {**_OPEN}, b""),
    ("/things/broken", {**_OPEN}, b""),
    ("/things/a", {"Authorization": "Bearer other"}, b""),
    ("/things/a", {}, b""),
    ("/things/a", {**_OPEN}, b"longer than is allowed"),
]


@pytest.mark.parametrize(("path", "headers", "body"), REQUESTS)
def test_both_ways_give_the_same_answer(
    url: str, path: str, headers: dict[str, str], body: bytes
) -> None:
    direct = _post(url + path, headers, body)
    request_id.accompany(dict)
    try:
        other = _post(url + path, headers, body)
    finally:
        request_id.accompany(None)
    found = [(a.status_code, a.content, sorted(a.headers.items())) for a in (direct, other)]
    assert found[0] == found[1]
    assert b"password" not in direct.content


def test_direct_way_is_taken_for_what_is_in_order_alone(url: str, town: Town) -> None:
    _post(f"{url}/things/a?count=1", _OPEN)
    assert town.ways == ["direct"]
    wrong = _post(f"{url}/things/a?count=x", _OPEN, b"read twice")
    assert (wrong.status_code, wrong.json()["code"]) == (422, "invalid")
    _post(f"{url}/things/a?count=1&count=2", _OPEN)
    assert town.ways == ["direct", "framework"]


def test_body_that_was_read_comes_to_the_framework_too(url: str) -> None:
    answer = _post(f"{url}/things/a?other=1", _OPEN, b"twice")
    assert answer.json() == {"name": "a", "body": "twice", "count": 0}


@pytest.mark.usefixtures("traced")
def test_what_is_traced_goes_the_frameworks_way(url: str, town: Town) -> None:
    _post(f"{url}/things/a", _OPEN)
    assert town.ways == ["framework"]


def test_route_that_was_declared_before_is_not_passed_by(url: str) -> None:
    assert _post(f"{url}/elsewhere").json() == {"place": "elsewhere"}
    assert _post(f"{url}/things/a", _OPEN).status_code == 201


def test_way_needs_a_route() -> None:
    with pytest.raises(ValueError, match="GET /nowhere"):
        DirectApp().direct("GET", "/nowhere", Way(_refused, Threads(1), 0))


def _refused(asked: Asked) -> Response:
    raise NotDirect


def test_another_role_is_answered_by_its_own_thread(town: Town) -> None:
    door = Door(town.app, "town")
    loop = asyncio.new_event_loop()
    door.open(loop)
    answer = door.ask("POST", "/things/a%20b?count=2", TOKEN, read_timeout_s=_LONG_S)
    assert (answer.status_code, answer.json()["name"]) == (201, "a b")
    assert town.threads == [threading.get_ident()]
    refused = door.ask("POST", "/things/none", TOKEN, read_timeout_s=_LONG_S)
    broken = door.ask("POST", "/things/broken", TOKEN, read_timeout_s=_LONG_S)
    assert (refused.status_code, broken.status_code) == (404, 500)
    assert door.ask("POST", "/things/a", "x", read_timeout_s=_LONG_S).status_code == 401
    loop.close()


def test_request_shows_no_secret() -> None:
    asked = Asked("POST", "/", "", {"authorization": "Bearer x"}, {}, "127.0.0.1", b"psk")
    assert "Bearer" not in repr(asked)
    assert "psk" not in repr(asked)
