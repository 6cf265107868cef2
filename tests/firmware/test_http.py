# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The device's HTTP client, on the interpreter, against honest servers."""

import http.server
import json
import re
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.firmware.http_servers import BODY, OK, answer, ask, heard, listening, saying
from tests.firmware.interpreters import PROJECT

VERSION = re.search('version="([0-9.]+)"', (PROJECT / "firmware/manifest.py").read_text())[1]  # type: ignore[index]


class Echo(http.server.BaseHTTPRequestHandler):
    """Sends back what it got, over the standard library's own HTTP server."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        document = {"path": self.path, "headers": dict(self.headers), "body": body.decode()}
        content = json.dumps(document).encode()
        self.send_response(201)
        self.send_header("Content-Type", "application/json")
        self.send_header("X-M2M-RSC", "2001")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def echo() -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join(10)


def test_a_request_arrives_whole_and_with_few_headers(echo: int) -> None:
    (outcome,) = ask(
        echo, {"method": "POST", "path": "/a?k=1", "headers": {"X-A": "b"}, "body": BODY}
    )
    assert outcome["status"] == 201
    headers = outcome["headers"]
    assert headers.pop("server").startswith("BaseHTTP/") and headers.pop("date")
    assert headers == {"content-type": "application/json", "x-m2m-rsc": "2001"}
    assert json.loads(outcome["body"]) == {
        "path": "/a?k=1",
        "headers": {
            "Host": f"127.0.0.1:{echo}",
            "User-Agent": f"Muster/{VERSION}",
            "Accept-Encoding": "identity",
            "X-A": "b",
            "Content-Length": "600",
        },
        "body": BODY,
    }


def test_a_connection_serves_several_requests() -> None:
    connections = []

    def behaviour(connection: socket.socket, number: int) -> None:
        connections.append(number)
        while heard(connection):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")

    with listening(behaviour) as port:
        outcomes = ask(port, {}, {}, {})
    assert [(o["status"], o["body"], o["is_open"]) for o in outcomes] == [(200, "hi", True)] * 3
    assert connections == [0]


def test_a_kept_connection_that_the_server_closed_is_opened_again() -> None:
    with listening(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")) as port:
        outcomes = ask(port, {}, {}, {})
    assert [o.get("body") for o in outcomes] == ["hi"] * 3


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 200 OK\r\nConnection: close\r\n", b"HTTP/1.0 200 OK\r\n"]
)
def test_a_server_that_closes_is_not_kept(head: bytes) -> None:
    outcome = answer(head + b"Content-Length: 2\r\n\r\nhi")
    assert outcome["body"] == "hi"
    assert not outcome["is_open"]


def test_a_body_without_length_ends_with_the_connection() -> None:
    outcome = answer(b"HTTP/1.1 200 OK\r\n\r\n", BODY.encode(), b"end", pause_s=0.05)
    assert outcome["body"] == BODY + "end"
    assert not outcome["is_open"]


def test_a_chunked_body_is_put_together() -> None:
    outcome = answer(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"258;name=value\r\n" + BODY.encode() + b"\r\n",
        b"3\r\nen",
        b"d\r\n0\r\nTrailer: x\r\n\r\n",
        pause_s=0.02,
    )
    assert outcome["body"] == BODY + "end"
    assert outcome["is_open"]


def test_many_small_chunks_do_not_count_as_headers() -> None:
    outcome = answer(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"1\r\na\r\n" * 300
        + b"0\r\n\r\n"
    )
    assert outcome["body"] == "a" * 300


def test_interim_answers_are_passed_over() -> None:
    outcome = answer(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
    )
    assert (outcome["status"], outcome["body"]) == (200, "hi")


def test_an_answer_in_single_bytes_is_understood() -> None:
    text = b"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\nhi"
    outcome = answer(*(bytes([byte]) for byte in text), pause_s=0.001)
    assert outcome["status"] == 503
    assert outcome["headers"] == {"retry-after": "7"}
    assert outcome["body"] == "hi"


def test_no_content_has_no_body() -> None:
    assert answer(b"HTTP/1.1 204 No Content\r\n\r\n")["body"] == ""


def test_a_body_of_exactly_the_limit_is_taken() -> None:
    outcome = answer(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123456789", limit_bytes=9)
    assert outcome["body"] == "123456789"


# What front ends add by themselves, and what they do with a connection.


@pytest.mark.parametrize(
    "header",
    [
        b"Content-Security-Policy: default-src 'self'; " + b"https://cdn.example " * 70,
        b"Set-Cookie: lb=" + b"x" * 4096,
        b"X-Trace: \xff\xfe\x00\xe4\xf6",
        b"\xe4\xf6: a name that nobody reads",
        b"no colon at all",
        b"Link: <a>;\r\n\trel=preload;\r\n X-M2M-RSC: 4107",
        b"\r\n".join(b"X-Header-%d: %s" % (n, b"y" * 100) for n in range(500)),
    ],
    ids=["policy", "cookie", "bytes", "name", "no colon", "folded", "many"],
)
def test_headers_that_nobody_asked_about_are_passed_over(header: bytes) -> None:
    outcome = answer(OK + header + b"\r\nX-M2M-RSC: 2001\r\nContent-Length: 2\r\n\r\nhi")
    assert outcome.get("body") == "hi", outcome
    assert outcome["headers"] == {"x-m2m-rsc": "2001"}
    assert outcome["is_open"]


def test_long_headers_are_kept_by_nobody() -> None:
    """With a heap that has no room for them."""
    long = b"".join(b"X-%d: %s\r\n" % (n, b"y" * 1000) for n in range(60))
    with listening(saying(OK + long + b"Content-Length: 2\r\n\r\nhi")) as port:
        (outcome,) = ask(port, {"timeout_ms": 10000}, heap="64K")
    assert outcome.get("body") == "hi", outcome


@pytest.mark.parametrize(
    ("head", "is_kept"),
    [
        (b"HTTP/1.1 200 OK\r\n", True),
        (b"HTTP/1.1 200 OK\r\nConnection: Keep-Alive\r\nKeep-Alive: timeout=5\r\n", True),
        (b"HTTP/1.1 200 OK\r\nConnection: Upgrade, Close\r\n", False),
        (b"HTTP/1.1 200 OK\r\nConnection: upgrade\r\nConnection: close\r\n", False),
        (b"HTTP/1.0 200 OK\r\n", False),
        (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n", True),
    ],
)
def test_a_connection_is_kept_as_the_server_s_version_says(head: bytes, is_kept: bool) -> None:
    with listening(saying(head + b"Content-Length: 2\r\n\r\nhi")) as port:
        (outcome,) = ask(port)
    assert outcome["is_open"] is is_kept


@pytest.mark.parametrize(
    "farewell", [b"", b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n"]
)
@pytest.mark.parametrize("is_safe", [True, False])
def test_a_server_that_is_tired_of_waiting_costs_nothing(farewell: bytes, is_safe: bool) -> None:
    """The end of a kept connection, or its farewell, is noticed before anything is sent."""
    seen = []

    def behaviour(connection: socket.socket, number: int) -> None:
        seen.append(heard(connection))
        connection.sendall(OK + b"Content-Length: 2\r\n\r\nhi")
        connection.sendall(farewell if number == 0 else b"")

    with listening(behaviour) as port:
        outcomes = ask(port, {}, {"is_safe": is_safe, "method": "POST", "pause_ms": 100})
    assert [outcome.get("body") for outcome in outcomes] == ["hi", "hi"]
    assert len(seen) == 2


@pytest.mark.parametrize("is_safe", [True, False])
def test_only_what_is_safe_is_sent_again_when_the_server_hangs_up_at_a_request(
    is_safe: bool,
) -> None:
    seen = []

    def behaviour(connection: socket.socket, number: int) -> None:
        while request := heard(connection):
            seen.append(request)
            if len(seen) == 2:
                return
            connection.sendall(OK + b"Content-Length: 2\r\n\r\nhi")

    with listening(behaviour) as port:
        _, second = ask(port, {}, {"is_safe": is_safe, "method": "POST"})
    assert len(seen) == (3 if is_safe else 2)
    assert ("hung up" in second.get("detail", "")) is not is_safe


def test_an_answer_that_has_begun_is_never_asked_for_again() -> None:
    seen = []

    def behaviour(connection: socket.socket, number: int) -> None:
        while request := heard(connection):
            seen.append(request)
            if len(seen) == 2:
                connection.sendall(b"HTTP/1.1 2")
                return
            connection.sendall(OK + b"Content-Length: 2\r\n\r\nhi")

    with listening(behaviour) as port:
        _, second = ask(port, {}, {})
    assert (len(seen), "hung up" in second["detail"]) == (2, True)


@pytest.mark.parametrize("coding", [b"gzip", b"br", b"Zstd", b"gzip, identity"])
def test_a_compressed_answer_is_named(coding: bytes) -> None:
    outcome = answer(
        OK + b"Content-Encoding: " + coding + b"\r\nContent-Length: 2\r\n\r\n\x1f\x8b"
    )
    assert f"compressed ({coding.decode().lower()})" in outcome["detail"]
    assert not outcome["is_final"]


def test_a_transfer_that_nobody_asked_for_is_named() -> None:
    outcome = answer(OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n")
    assert "in a form nobody asked for: gzip, chunked" in outcome["detail"]
