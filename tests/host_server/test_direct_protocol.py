# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does the short way from a connection to the lane keep to HTTP, however a request comes?"""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPResponse
from urllib.parse import urlsplit

import pytest
from fastapi import Request
from fastapi.responses import Response

from muster_server.direct import Asked, DirectApp, NotDirect, Way
from muster_server.lane import Lane
from muster_server.web import body_within, harden
from tests.host_server.serving import served

_LIMIT_BYTES = 64
_LONG_S = 20.0


class Echo:
    """An app that says which way a body has come, and by which thread."""

    def __init__(self, lane: Lane) -> None:
        self.app = DirectApp()
        self.go_on = threading.Event()
        self.go_on.set()
        read = body_within(_LIMIT_BYTES)

        @self.app.post("/echo")
        async def framework(request: Request) -> Response:
            return Response(b"framework " + await read(request))

        self.app.direct("POST", "/echo", Way(self._direct, lane, _LIMIT_BYTES))
        harden(self.app)

    def _direct(self, asked: Asked) -> Response:
        self.go_on.wait(_LONG_S)
        if asked.queried("header").get("header"):
            return Response(b"x", headers={"X-Said": "a\r\nX-Other: b"})
        if asked.body == b"other":
            raise NotDirect
        if asked.body == b"none":
            return Response(status_code=204)
        return Response(b"lane " + asked.body)


@pytest.fixture
def echo() -> Iterator[Echo]:
    lane = Lane()
    yield Echo(lane)
    lane.close()


@pytest.fixture
def connection(echo: Echo) -> Iterator[socket.socket]:
    with served(echo.app) as url:
        parts = urlsplit(url)
        address = (str(parts.hostname), int(parts.port or 0))
        with socket.create_connection(address, timeout=_LONG_S) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            yield connection


def request(body: bytes, more: str = "", path: str = "/echo", version: str = "1.1") -> bytes:
    head = f"POST {path} HTTP/{version}\r\nHost: a\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body


def answers(connection: socket.socket, count: int) -> list[tuple[int, bytes]]:
    """Read so many answers, one after another."""
    found = []
    with connection.makefile("rb", 0) as stream:
        for _ in range(count):
            answer = HTTPResponse(_Same(stream), method="POST")  # type: ignore[arg-type]
            answer.begin()
            found.append((answer.status, answer.read()))
    return found


class _Same:
    """A socket whose stream outlives the answers that are read from it."""

    def __init__(self, stream: object) -> None:
        self._stream = stream

    def makefile(self, *_: object) -> object:
        return _Kept(self._stream)


class _Kept:
    def __init__(self, stream: object) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)

    def close(self) -> None:
        """Leave it open."""


def test_connection_is_kept_from_one_request_to_the_next(connection: socket.socket) -> None:
    for body in (b"one", b"two", b""):
        connection.sendall(request(body))
        assert answers(connection, 1) == [(200, b"lane " + body)]


@pytest.mark.parametrize("cut", [1, 40, -3])
def test_request_in_two_packets_is_answered_whole(connection: socket.socket, cut: int) -> None:
    whole = request(b"in two")
    connection.sendall(whole[:cut])
    time.sleep(0.05)
    connection.sendall(whole[cut:])
    assert answers(connection, 1) == [(200, b"lane in two")]


def test_requests_in_one_packet_are_answered_in_their_order(connection: socket.socket) -> None:
    bodies = [b"one", b"other", b"three", b"none", b"five"]
    connection.sendall(b"".join(map(request, bodies)))
    assert answers(connection, 5) == [
        (200, b"lane one"),
        (200, b"framework other"),
        (200, b"lane three"),
        (204, b""),
        (200, b"lane five"),
    ]


@pytest.mark.parametrize(("more", "version"), [("Connection: close\r\n", "1.1"), ("", "1.0")])
def test_connection_ends_when_its_client_wants_it(
    connection: socket.socket, more: str, version: str
) -> None:
    connection.sendall(request(b"last", more, version=version))
    received = bytearray()
    while part := connection.recv(4096):
        received += part
    assert received.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nconnection: close\r\n" in received
    assert received.endswith(b"\r\n\r\nlane last")


def test_who_waits_to_be_told_to_go_on_is_told(connection: socket.socket) -> None:
    connection.sendall(request(b"asked", "Expect: 100-continue\r\n"))
    connection.settimeout(_LONG_S)
    received = b""
    while b"lane asked" not in received:
        received += connection.recv(4096)
    assert received.startswith(b"HTTP/1.1 100 Continue\r\n")


def test_body_that_is_too_long_is_refused(connection: socket.socket) -> None:
    connection.sendall(request(b"x" * (_LIMIT_BYTES + 1)))
    ((status, _),) = answers(connection, 1)
    assert status == 413


def test_chunks_are_one_body(connection: socket.socket) -> None:
    head = b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    connection.sendall(head + b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
    assert answers(connection, 1) == [(200, b"lane abcde")]


def test_no_header_is_smuggled_into_an_answer(connection: socket.socket) -> None:
    connection.sendall(request(b"x", path="/echo?header=1"))
    received = bytearray()
    while part := connection.recv(4096):
        received += part
    assert b"X-Other" not in received
    assert received.startswith(b"HTTP/1.1 500 ")


def test_who_leaves_before_his_answer_harms_nobody(echo: Echo, connection: socket.socket) -> None:
    address = connection.getpeername()
    echo.go_on.clear()
    connection.sendall(request(b"one"))
    time.sleep(0.05)
    connection.close()
    echo.go_on.set()
    with socket.create_connection(address, timeout=_LONG_S) as other:
        other.sendall(request(b"two"))
        assert answers(other, 1) == [(200, b"lane two")]


def test_what_follows_as_no_http_does_not_get_a_second_answer(
    echo: Echo, connection: socket.socket
) -> None:
    connection.sendall(request(b"one") + b"\x00\x01nothing\r\n\r\n")
    received = bytearray()
    with suppress(ConnectionError):
        while part := connection.recv(4096):
            received += part
    assert received.count(b"HTTP/1.1 ") <= 1
