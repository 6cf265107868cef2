# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The device's HTTP client, on the interpreter, against broken and hostile servers."""

import socket

import pytest

from tests.firmware.http_servers import OK, Outcome, answer, ask, heard, listening, saying


@pytest.mark.parametrize(
    ("said", "detail"),
    [
        (b"", "ECONNRESET"),
        (b"HTTP/1.1 200", "ECONNRESET"),
        (OK + b"Content-Length: 9\r\n\r\n12", "7 bytes short"),
        (OK + b"Content-Length: 10\r\n\r\n" + b"x" * 10, "exceeds 9 bytes"),
        (OK + b"Content-Length: 99999999999999999999\r\n\r\n", "exceeds 9 bytes"),
        (OK + b"Content-Length: -1\r\n\r\n", "no sensible length"),
        (OK + b"Content-Length: 0x9\r\n\r\n", "no sensible length"),
        (OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n12", "no sensible length"),
        (OK + b"\r\n" + b"x" * 5000, "exceeds 9 bytes"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\nfffffff\r\n", "exceeds 9 bytes"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"3\r\nabc\r\n" * 4, "exceeds 9 bytes"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n", "malformed"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", "malformed"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nab", "1 bytes short"),
        (OK + b"A: " + b"x" * 66000 + b"\r\n\r\n", "headers are too long"),
        (OK + b"A: x\r\n" * 11000 + b"\r\n", "headers are too long"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 3000, "headers are too long"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"x" * 66000, "headers are too long"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "not HTTP"),
        (b"HTTP/1.1 20x OK\r\n\r\n", "not HTTP"),
        (bytes(range(256)) * 20, "not HTTP"),
    ],
)
def test_a_broken_answer_is_a_typed_error(said: bytes, detail: str) -> None:
    outcome = answer(said, limit_bytes=9)
    assert (outcome["code"], outcome["is_final"]) == ("server_unreachable", False)
    assert detail in outcome["detail"]
    assert not outcome["is_open"]


@pytest.mark.parametrize(
    "part", [b"H", OK + b"A: ", OK + b"Content-Length: 99\r\n\r\nabc", OK + b"\r\nabc"]
)
def test_a_silent_server_costs_no_more_than_the_time(part: bytes) -> None:
    outcome = answer(part, pause_s=0.6, timeout_ms=200)
    assert outcome["code"] == "server_unreachable"
    assert "no answer within 200 ms" in outcome["detail"]
    assert 190 <= outcome["ms"] < 450
    assert not outcome["is_open"]


def test_a_server_that_drips_for_ever_costs_no_more_than_the_time() -> None:
    outcome = answer(OK + b"\r\n", *[b"x"] * 30, pause_s=0.02, timeout_ms=200)
    assert 190 <= outcome["ms"] < 450


def test_endless_headers_are_cut_by_their_count() -> None:
    def behaviour(connection: socket.socket, number: int) -> None:
        heard(connection)
        connection.sendall(OK)
        while True:
            connection.sendall(b"A: b\r\n" * 100)

    with listening(behaviour) as port:
        (outcome,) = ask(port)
    assert "headers are too long" in outcome["detail"]


def test_nobody_listening_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    (outcome,) = ask(port, code="platform_unreachable")
    assert outcome["code"] == "platform_unreachable"
    assert outcome["detail"] == f"127.0.0.1:{port}: nobody listens there: ECONNREFUSED"


@pytest.mark.parametrize(
    "request_", [{"headers": {"A": "b\r\nC: d"}}, {"path": "/\nA: b"}, {"headers": {"A\r": "b"}}]
)
def test_line_breaks_never_reach_the_wire(request_: Outcome) -> None:
    (outcome,) = ask(9, request_)
    assert outcome["code"] == "config_invalid"


def test_what_comes_beyond_an_answer_answers_nothing() -> None:
    forged = OK + b"Content-Length: 6\r\n\r\nforged"
    with listening(saying(OK + b"Content-Length: 2\r\n\r\nhi" + forged)) as port:
        outcomes = ask(port, {}, {})
    assert [outcome["body"] for outcome in outcomes] == ["hi", "hi"]
