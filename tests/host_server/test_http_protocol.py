# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What do the servers promise to who is slow?"""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Annotated
from urllib.parse import urlsplit

import pytest
from fastapi import Depends, FastAPI, Response
from fastapi.responses import StreamingResponse

from muster_server.http_protocol import MOST_HEADER_BYTES, DeadlineProtocol
from muster_server.web import body_within, harden
from tests.host_server.serving import served

DEADLINE_S = 0.3
Body = Annotated[bytes, Depends(body_within(1000))]
REQUEST = b"GET /docs HTTP/1.1\r\nHost: a\r\n"


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, int]]:
    monkeypatch.setattr(DeadlineProtocol, "headers_deadline_s", DEADLINE_S)
    with served(FastAPI(openapi_url=None, docs_url=None, redoc_url=None)) as url:
        parts = urlsplit(url)
        yield str(parts.hostname), int(parts.port or 0)


def everything(connection: socket.socket) -> bytes:
    connection.settimeout(10)
    received = bytearray()
    while part := connection.recv(4096):
        received += part
    return bytes(received)


@pytest.mark.parametrize("sent", [b"", b"G", REQUEST])
def test_headers_that_do_not_come_end_the_connection(
    address: tuple[str, int], sent: bytes
) -> None:
    with socket.create_connection(address, timeout=5) as connection:
        connection.sendall(sent)
        assert everything(connection).startswith(b"HTTP/1.1 408 ")


def test_one_byte_at_a_time_is_no_way_around_it(address: tuple[str, int]) -> None:
    with socket.create_connection(address, timeout=5) as connection, pytest.raises(OSError):
        for _ in range(1000):
            connection.sendall(b"X")
            time.sleep(0.01)


def test_second_request_of_a_connection_has_the_same_deadline(address: tuple[str, int]) -> None:
    with socket.create_connection(address, timeout=5) as connection:
        connection.sendall(REQUEST + b"\r\n" + REQUEST)
        received = everything(connection)
    assert received.startswith(b"HTTP/1.1 404 ")
    assert b"HTTP/1.1 408 " in received


_LONG = MOST_HEADER_BYTES + 1000


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /" + b"x" * _LONG * 8,
        REQUEST + b"X: " + b"x" * _LONG * 8,
        REQUEST + b"X: x\r\n" * (_LONG // 3),
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
        + b"X: x\r\n" * _LONG,
    ],
    ids=["path", "one", "many", "trailers"],
)
def test_headers_without_an_end_are_not_kept(address: tuple[str, int], sent: bytes) -> None:
    with socket.create_connection(address, timeout=5) as connection:
        with suppress(OSError):  # it may have been closed before all was sent
            connection.sendall(sent)
        with suppress(ConnectionResetError):  # what was not read any more takes the answer with it
            assert b" 200 " not in everything(connection)


@pytest.mark.parametrize("hosts", [b"", b"Host: a\r\nHost: a\r\n"])
def test_request_names_one_host(address: tuple[str, int], hosts: bytes) -> None:
    with socket.create_connection(address, timeout=5) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n" + hosts + b"\r\n")
        assert everything(connection).startswith(b"HTTP/1.1 400 ")


def test_body_in_many_small_chunks_is_none_of_it(address: tuple[str, int]) -> None:
    head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    with socket.create_connection(address, timeout=5) as connection:
        connection.sendall(head + b"1\r\nx\r\n" * MOST_HEADER_BYTES + b"0\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 404 ")


def test_rest_of_a_request_that_is_answered_does_not_hold_the_connection(
    address: tuple[str, int],
) -> None:
    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"
    with socket.create_connection(address, timeout=5) as connection, pytest.raises(OSError):
        connection.sendall(head)
        assert connection.recv(4096).startswith(b"HTTP/1.1 404 ")
        for _ in range(1000):
            connection.sendall(b"x")
            time.sleep(0.01)


def test_headers_in_time_are_answered(address: tuple[str, int]) -> None:
    with socket.create_connection(address, timeout=5) as connection:
        connection.sendall(REQUEST + b"\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 404 ")


@pytest.mark.parametrize("is_begun", [False, True])
def test_body_that_ends_as_no_http_has_one_answer_and_no_traceback(
    caplog: pytest.LogCaptureFixture, is_begun: bool
) -> None:
    app = harden(FastAPI())

    @app.post("/")
    async def answer() -> Response:
        if not is_begun:
            return Response(b"at once, whatever the body will be")

        async def parts() -> AsyncIterator[bytes]:
            yield b"begun"
            await asyncio.sleep(0.3)
            yield b"more"

        return StreamingResponse(parts())

    head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    with served(app) as url:
        at = urlsplit(url)
        with socket.create_connection((str(at.hostname), int(at.port or 0)), 5) as connection:
            connection.sendall(head if is_begun else head + b"zz\r\n")
            if is_begun:
                said = b""
                while b"begun" not in said:
                    said += connection.recv(4096)
                connection.sendall(b"zz\r\n")
            received = everything(connection)
        time.sleep(0.5)  # what is still to be said would be
    assert received.count(b"HTTP/1.1") == (0 if is_begun else 1)
    assert is_begun or received.startswith(b"HTTP/1.1 400 ")
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []


_POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
_CHUNKED = b"Transfer-Encoding: chunked\r\n"
_HIDDEN = b"POST /hidden HTTP/1.1\r\nHost: a\r\n\r\n"
# Where one server would see another end of a request than the next does (RFC 9112 11.2).
_AMBIGUOUS = {
    "length and chunks": _POST + b"Content-Length: 4\r\n" + _CHUNKED + b"\r\n0\r\n\r\n",
    "two lengths": _POST + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
    "length with a sign": _POST + b"Content-Length: +4\r\n\r\nabcd",
    "list of lengths": _POST + b"Content-Length: 4, 4\r\n\r\nabcd",
    "hexadecimal length": _POST + b"Content-Length: 0x4\r\n\r\nabcd",
    "length of 65 bits": _POST + b"Content-Length: 18446744073709551620\r\n\r\nabcd",
    "chunks that are not last": _POST + b"Transfer-Encoding: chunked, x\r\n\r\n0\r\n\r\n",
    "unknown coding": _POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "coding named twice": _POST + _CHUNKED + b"Transfer-Encoding: x\r\n\r\n0\r\n\r\n",
    "blank before the colon": _POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "folded line": _POST + b"X: y\r\n Content-Length: 4\r\n\r\n",
    "folded coding": _POST + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "bare LF": _POST + b"X: y\nContent-Length: 4\r\n\r\nabcd",
    "bare LFs": b"POST / HTTP/1.1\nHost: a\n\n",
    "bare CR": _POST + b"X: y\rContent-Length: 4\r\n\r\n",
    "NUL": _POST + b"X: y\0\r\n\r\n",
    "bare LF in chunks": _POST + _CHUNKED + b"\r\n1\na\n0\n\n",
    "bare LF after an extension": _POST + _CHUNKED + b"\r\n1;\na\r\n0\r\n\r\n",
    "chunk that is longer than it says": _POST + _CHUNKED + b"\r\n1\r\nabc\r\n0\r\n\r\n",
    "chunk of 68 bits": _POST + _CHUNKED + b"\r\nfffffffffffffffff\r\nabc\r\n",
    "length after the chunks": _POST + _CHUNKED + b"\r\n0\r\nContent-Length: 40\r\n\r\n",
    "upgrade with a length": _POST + b"Connection: Upgrade\r\nUpgrade: h2c\r\n"
    b"Content-Length: %d\r\n\r\n" % len(_HIDDEN),
    "upgrade with chunks": _POST
    + b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
    + _CHUNKED
    + b"\r\n",
    "upgrade with both": _POST + b"Upgrade: x\r\nConnection: close, Upgrade\r\n"
    b"Content-Length: 4\r\n" + _CHUNKED + b"\r\n",
    "upgrade alone": _POST + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
    "tunnel": b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n",
    "end of the connection": _POST + b"Connection: close\r\n\r\n",
}


@pytest.fixture(scope="module")
def heard() -> Iterator[tuple[tuple[str, int], list[str]]]:
    """A server's address, and the paths of the requests that it has found."""
    paths: list[str] = []
    app = harden(FastAPI())

    @app.post("/{path:path}")
    async def note(path: str, body: Body) -> Response:
        paths.append(path)
        return Response(body)

    with served(app) as url:
        parts = urlsplit(url)
        yield (str(parts.hostname), int(parts.port or 0)), paths


@pytest.mark.parametrize("is_parted", [False, True])
@pytest.mark.parametrize("sent", _AMBIGUOUS.values(), ids=_AMBIGUOUS)
def test_no_request_is_hidden_in_another(
    heard: tuple[tuple[str, int], list[str]], sent: bytes, is_parted: bool
) -> None:
    address, paths = heard
    paths.clear()
    head, end, rest = sent.partition(b"\r\n\r\n")
    with socket.create_connection(address, timeout=5) as connection, suppress(OSError):
        connection.sendall(head + end + (b"" if is_parted else rest + _HIDDEN))
        if is_parted:
            time.sleep(0.05)  # so that it comes by itself, as behind a proxy
            connection.sendall(rest + _HIDDEN)
        everything(connection)  # the connection ends
    assert "hidden" not in paths


def test_request_that_asks_for_another_protocol_is_answered_in_this_one(
    heard: tuple[tuple[str, int], list[str]],
) -> None:
    with socket.create_connection(heard[0], timeout=5) as connection:
        connection.sendall(_AMBIGUOUS["upgrade alone"])
        answer = everything(connection).lower()
    assert answer.startswith(b"http/1.1 200 ")
    assert b"\r\nconnection: close\r\n" in answer


def test_what_is_clear_is_taken(heard: tuple[tuple[str, int], list[str]]) -> None:
    chunks = b"\r\n1;x=y\r\na\r\n0\r\nX: y\r\n\r\n"
    last = b"POST http://b/last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    address, paths = heard
    paths.clear()
    with socket.create_connection(address, timeout=5) as connection:
        connection.sendall(_POST + b"Content-Length: 4\r\n\r\nabcd" + _POST + _CHUNKED + chunks)
        connection.sendall(last)
        assert everything(connection).count(b"HTTP/1.1 200 ") == 3
    assert paths == ["", "", "last"]
