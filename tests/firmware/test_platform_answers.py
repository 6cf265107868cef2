# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Strangers answer where the platform should; device and portal say so.

On the interpreter, with real sockets: only an answer in oneM2M's form is the platform's.
"""

import email.utils
import gzip
import json
import re
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from muster_server.outcomes import sentence
from tests.firmware import interpreters
from tests.firmware.http_servers import heard, listening
from tests.firmware.interpreters import ON_BOARD, PROJECT

Outcome = dict[str, Any]
_AE = {
    "m2m:ae": {
        "lt": "20261123T000000,000000",
        "et": "20261126T000000,000000",
        "api": "Nx",
        "lbl": ["muster:PRESS-4"],
    }
}
_CSP = b"Content-Security-Policy: default-src 'none'; " + b"img-src https://cdn.example; " * 48


def told(status: bytes, *headers: bytes, body: bytes = b"") -> bytes:
    """Return a whole answer."""
    lines = [b"HTTP/1.1 " + status, *headers, b"Content-Length: %d" % len(body), b"", body]
    return b"\r\n".join(lines)


def onem2m(request: bytes, status: bytes, rsc: int, document: object = None) -> bytes:
    """Return an answer as a platform makes it."""
    ri = re.search(rb"X-M2M-RI: (\S+)", request)
    assert ri
    body = json.dumps(document).encode() if document else b""
    return told(status, b"X-M2M-RSC: %d" % rsc, b"X-M2M-RI: " + ri[1], body=body)


@dataclass
class Play:
    """A server that answers each request with `answer`; it keeps what was asked."""

    answer: Callable[[bytes], bytes]
    requests: list[bytes] = field(default_factory=list)

    def __call__(self, connection: socket.socket, number: int) -> None:
        while request := heard(connection):
            self.requests.append(request)
            connection.sendall(self.answer(request))


def platform(request: bytes) -> bytes:
    """Return what a platform says that takes everything."""
    created = onem2m(request, b"201 Created", 2001, _AE)
    return onem2m(request, b"200 OK", 2004, _AE) if request.startswith(b"PUT") else created


def do(play: Play, *deeds: str) -> list[Outcome]:
    """The device's deeds at such a server, one after the other, and their outcomes."""
    with listening(play) as port:
        job = {"url": f"http://127.0.0.1:{port}", "deeds": deeds}
        run = subprocess.run(
            [*interpreters.unix(), str(ON_BOARD / "platform_peer.py"), str(PROJECT / "firmware")],
            input=json.dumps(job) + "\n",
            capture_output=True,
            text=True,
            timeout=30,
        )
    assert run.returncode == 0, run.stdout + run.stderr
    outcomes: list[Outcome] = json.loads(run.stdout.splitlines()[-1])
    return outcomes


HTML = b"<html><body>Please accept our terms</body></html>"
# Nobody of these is a platform: what they say, and words that the device passes on.
STRANGERS = {
    "portal 302": (
        told(b"302 Found", b"Location: http://login.hotel.example/?orig=m2m", b"Server: gateway"),
        ["HTTP 302", "Location http://login.hotel.example/?orig=m2m", "Server gateway"],
    ),
    "portal 200": (told(b"200 OK", b"Content-Type: text/html", body=HTML), ["200", "text/html"]),
    "portal, large": (told(b"200 OK", b"Server: hotspot", body=HTML * 400), ["Server hotspot"]),
    "empty 200": (told(b"200 OK"), ["HTTP 200"]),
    "proxy 403": (told(b"403 Forbidden", b"Server: cloudfront"), ["HTTP 403", "cloudfront"]),
    "proxy 404": (told(b"404 Not Found", b"Server: nginx/1.22.1"), ["404", "nginx/1.22.1"]),
    "proxy 308": (
        told(b"308 Permanent Redirect", b"Location: https://m2m.example/cse-in"),
        ["HTTP 308", "https://m2m.example/cse-in"],
    ),
    "login 401": (told(b"401 Unauthorized", b"WWW-Authenticate: Basic"), ["HTTP 401"]),
    "proxy 502": (told(b"502 Bad Gateway", b"Server: Caddy"), ["HTTP 502", "Server Caddy"]),
    "proxy 511": (told(b"511 Network Authentication Required"), ["HTTP 511"]),
    "TLS expected": (
        told(b"400 Bad Request", body=b"Client sent an HTTP request to an HTTPS server."),
        ["HTTP 400"],
    ),
    "a cache": (
        told(b"201 Created", b"X-M2M-RSC: 2001", b"X-M2M-RI: of-yesterday", b"X-Cache: HIT"),
        ["HTTP 201", "for another request"],
    ),
    "bytes in it": (
        told(b"403 No", b"Server: \xff\x1b[2J\xe4", b"Location: " + b"y" * 5000),
        ["Server \\xff\\x1b[2J\\xe4,", "Location y"],
    ),
    "not HTTP": (b"SSH-2.0-dropbear_2022.83\r\n", ["not HTTP", "SSH-2.0-dropbear"]),
}


@pytest.mark.parametrize("who", STRANGERS)
@pytest.mark.parametrize("deed", ["register", "publish", "renew"])
def test_a_stranger_is_not_the_platform(who: str, deed: str) -> None:
    answer, words = STRANGERS[who]
    (outcome,) = do(Play(lambda request: answer), deed)
    assert (outcome["code"], outcome["is_final"]) == ("platform_unreachable", False), outcome
    for word in ["something else answered there", *words]:
        assert word in outcome["detail"], outcome
    assert len(outcome["detail"]) < 300 and outcome["detail"].isprintable()
    said = sentence(outcome["code"], ["factory"], "http://m2m.example", outcome["detail"])
    assert "Something else than the platform http://m2m.example answered" in said
    assert "account" not in said and "captive portal" in said


def test_a_real_refusal_has_the_platform_s_own_words_and_is_final() -> None:
    document = {"m2m:dbg": "originator not allowed (a-token-of-the-device)"}
    play = Play(lambda request: onem2m(request, b"403 Forbidden", 4103, document))
    (outcome,) = do(play, "register")
    assert (outcome["code"], outcome["is_final"]) == ("platform_refused", True)
    assert "RSC 4103: originator not allowed (***)" in outcome["detail"]


@pytest.mark.parametrize(
    ("status", "rsc", "code"),
    [
        (b"404 Not Found", 4004, "platform_refused"),  # ACME says so while it starts
        (b"404 Not Found", 5103, "platform_refused"),
        (b"500 Internal Server Error", 5000, "platform_unreachable"),
        (b"429 Too Many Requests", 4103, "platform_unreachable"),
        (b"408 Request Timeout", 4008, "platform_unreachable"),
    ],
)
def test_what_the_platform_may_do_later_is_not_final(status: bytes, rsc: int, code: str) -> None:
    (outcome,) = do(Play(lambda request: onem2m(request, status, rsc)), "register")
    assert (outcome["code"], outcome["is_final"]) == (code, False), outcome


def test_a_release_that_is_not_spoken_is_final() -> None:
    play = Play(lambda request: onem2m(request, b"501 Not Implemented", 4001))
    (outcome,) = do(play, "register")
    assert (outcome["code"], outcome["is_final"]) == ("platform_refused", True)


def in_90_s() -> bytes:
    now = time.time()
    dates = [email.utils.formatdate(at, usegmt=True).encode() for at in (now, now + 90)]
    return b"Date: %s\r\nRetry-After: %s" % (dates[0], dates[1])


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (told(b"429 Too Many Requests", b"Retry-After: 60"), 60),
        (told(b"503 Service Unavailable", b"Retry-After: 120", b"Server: envoy"), 120),
        (told(b"503 Service Unavailable", in_90_s()), 90),
        (told(b"503 Down", b"Retry-After: Fri, 31 Dec 2027 23:59:59 GMT"), 60),
        (told(b"503 Down", b"Retry-After: 99999999999999"), 3600),
        (told(b"429 Too Many Requests"), 30),
        (told(b"429 Slow", b"X-M2M-RSC: 4103", b"Retry-After: 7"), 7),
        (told(b"503 Down", b"X-M2M-RSC: 5000", b"Retry-After: 9"), 9),
        (told(b"403 Slow", b"X-M2M-RSC: 4103", b"Retry-After: 11"), 11),
    ],
    ids=lambda value: str(value) if isinstance(value, int) else "",
)
@pytest.mark.parametrize("deed", ["register", "publish", "renew", "timeline"])
def test_who_asks_for_a_pause_gets_it(answer: bytes, seconds: int, deed: str) -> None:
    """No deed of the device reaches the platform meanwhile, however often it tries."""
    play = Play(lambda request: answer)
    first, *others = do(play, deed, "publish", "register", "timeline", "renew")
    assert (first["code"], first["retry_s"]) == ("platform_unreachable", seconds), first
    assert not first["is_final"]
    assert len(play.requests) == 1
    for other in others:
        assert "wants to be left alone" in other["detail"]
        assert seconds - 2 <= other["retry_s"] <= seconds


@pytest.mark.parametrize("deed", ["register", "renew"])
def test_a_compressed_answer_loses_no_lease_and_is_no_conflict(deed: str) -> None:
    def answer(request: bytes) -> bytes:
        body = gzip.compress(json.dumps(_AE).encode())
        return told(b"201 Created", b"X-M2M-RSC: 2001", b"Content-Encoding: gzip", body=body)

    (outcome,) = do(Play(answer), deed)
    assert "compressed (gzip)" in outcome["detail"]
    assert (outcome["code"], outcome["is_final"]) == ("platform_unreachable", False)
    said = sentence(outcome["code"], [], "http://m2m.example", outcome["detail"])
    assert "compress" in said


def test_an_answer_that_was_changed_on_its_way_is_no_conflict() -> None:
    def answer(request: bytes) -> bytes:
        if request.startswith(b"POST"):
            return onem2m(request, b"403 Forbidden", 4117)
        return told(b"200 OK", b"X-M2M-RSC: 2000", body=gzip.compress(b"{}"))

    (outcome,) = do(Play(answer), "register")
    assert (outcome["code"], outcome["is_final"]) == ("platform_unreachable", False), outcome


def test_a_conflict_is_final() -> None:
    def answer(request: bytes) -> bytes:
        if request.startswith(b"POST"):
            return onem2m(request, b"403 Forbidden", 4117)
        return onem2m(request, b"200 OK", 2000, {"m2m:ae": {"lbl": ["muster:X"], "api": "Nx"}})

    (outcome,) = do(Play(answer), "register")
    assert (outcome["code"], outcome["is_final"]) == ("platform_conflict", True), outcome


def test_security_headers_and_all_else_that_a_front_end_adds_do_no_harm() -> None:
    def answer(request: bytes) -> bytes:
        return platform(request).replace(b"\r\n", b"\r\n" + _CSP + b"\r\nA: \xff\r\n", 1)

    (outcome,) = do(Play(answer), "register")
    assert outcome["lease"], outcome


def test_no_request_has_the_id_of_another_not_even_after_a_restart() -> None:
    play = Play(platform)
    for _ in range(3):
        do(play, "register", "publish")
    ids = [re.search(rb"X-M2M-RI: (\S+)", request) for request in play.requests]
    assert len({found[1] for found in ids if found}) == len(play.requests) == 12


@pytest.mark.parametrize("deed", ["publish", "timeline"])
def test_a_reading_that_may_have_arrived_is_not_sent_twice(deed: str) -> None:
    def behaviour(request: bytes) -> bytes:
        if len(play.requests) == 1:
            return onem2m(request, b"404 Not Found", 4004)
        return b"" if b"ty=4" in request else platform(request)

    class Dropping(Play):
        def __call__(self, connection: socket.socket, number: int) -> None:
            while request := heard(connection):
                self.requests.append(request)
                reply = self.answer(request)
                connection.sendall(reply)
                if not reply:
                    return

    play = Dropping(behaviour)
    (outcome,) = do(play, deed)
    assert "hung up" in outcome["detail"], outcome
    assert sum(b"ty=4" in request for request in play.requests) == 2  # 4004, and the one after
