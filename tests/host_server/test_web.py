# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does the border between errors and HTTP promise?"""

import logging
import socket
from collections.abc import Iterator
from typing import Annotated

import pytest
import requests
from fastapi import Depends, FastAPI
from fastapi.responses import Response

from muster_server import web
from muster_server.errors import Conflict, HostError, Invalid, StoreError, Unavailable
from muster_server.tokens import new_token, token_hash
from muster_server.web import bearer, body_within, harden
from tests.host_server.serving import served

TOKEN = new_token()
ERRORS: dict[str, Exception] = {
    "conflict": Conflict("it is there already"),
    "invalid": Invalid("wanted text", path="networks[0].ssid"),
    "busy": Unavailable("later", retry_s=7),
    "store": StoreError("key 1234 is not key 5678"),
    "unforeseen": ZeroDivisionError("hunter2"),
}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    app = FastAPI()

    @app.get("/error/{name}")
    def error(name: str) -> None:
        raise ERRORS[name]

    @app.get("/number/{number}")
    def number(number: int) -> None:
        raise AssertionError

    @app.post("/body")
    def body(body: Annotated[bytes, Depends(body_within(100))]) -> Response:
        return Response(body)

    hashes = frozenset({token_hash(TOKEN)})

    @app.get("/guarded", dependencies=[Depends(bearer(lambda: hashes))])
    def guarded() -> Response:
        return Response()

    with served(harden(app)) as url:
        yield url


def test_error_is_a_problem_document_with_a_stable_code(url: str) -> None:
    answer = requests.get(url + "/error/conflict", timeout=5)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json() == {
        "title": "In conflict with what is there",
        "status": 409,
        "code": "conflict",
        "detail": "it is there already",
    }


def test_field_at_fault_is_named(url: str) -> None:
    answer = requests.get(url + "/error/invalid", timeout=5)
    assert (answer.status_code, answer.json()["path"]) == (422, "networks[0].ssid")


def test_busy_server_says_when_to_come_back(url: str) -> None:
    answer = requests.get(url + "/error/busy", timeout=5)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")
    assert answer.json()["retry_s"] == 7


def test_inner_trouble_goes_to_the_log_and_not_to_strangers(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = requests.get(url + "/error/store", timeout=5)
    assert (answer.status_code, answer.json()["code"]) == (500, "store_failed")
    assert "1234" not in answer.text
    assert "1234" in caplog.text


def test_unforeseen_error_is_logged_and_the_server_lives_on(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        answer = requests.get(url + "/error/unforeseen", timeout=5)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "hunter2" not in answer.text
    assert "ZeroDivisionError" in caplog.text
    assert requests.get(url + "/error/conflict", timeout=5).status_code == 409


def test_what_is_not_there_is_a_problem_document_too(url: str) -> None:
    assert requests.get(url + "/nowhere", timeout=5).json()["code"] == "not_found"
    answer = requests.delete(url + "/body", timeout=5)
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    wrong = requests.get(url + "/number/x", timeout=5)
    assert (wrong.status_code, wrong.json()["path"]) == (422, "path.number")
    assert wrong.json()["detail"] == "path.number: wanted an integer"


def test_body_up_to_the_limit_is_read(url: str) -> None:
    assert requests.post(url + "/body", data=bytes(100), timeout=5).content == bytes(100)
    assert requests.post(url + "/body", data=bytes(101), timeout=5).status_code == 413


def raw(url: str, request: str) -> bytes:
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(request.encode())
        with connection.makefile("rb") as answer:
            return answer.read()  # head and body come in pieces: until the server closes


def test_body_that_does_not_come_is_not_waited_for(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "BODY_DEADLINE_S", 0.1)
    answer = raw(
        url,
        "POST /body HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 50\r\n\r\nhalf",
    )
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"did not come within" in answer


@pytest.mark.parametrize("length", ["-1", "1e3", "99999999999999999999"])
def test_length_that_is_none_is_refused(url: str, length: str) -> None:
    answer = raw(
        url,
        f"POST /body HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n",
    )
    assert answer.split()[1] in (b"400", b"413")


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", f"Basic {TOKEN}", "Bearer wrong", f"Bearer {TOKEN}x", "é"]
)
def test_only_the_token_opens(url: str, header: str) -> None:
    headers = {"Authorization": header.encode()} if header else {}
    answer = requests.get(url + "/guarded", headers=headers, timeout=5)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_the_token_opens(url: str) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    assert requests.get(url + "/guarded", headers=headers, timeout=5).status_code == 200


def test_each_error_has_a_code_of_its_own() -> None:
    kinds: list[type[HostError]] = [HostError, *HostError.__subclasses__()]
    codes = [kind.code for kind in kinds if kind.__module__ == "muster_server.errors"]
    assert len(set(codes)) == len(codes)
