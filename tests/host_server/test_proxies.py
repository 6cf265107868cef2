# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Who may say for whom it asks?"""

import pytest
import requests
from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse

from muster_server.web import address_of, harden
from tests.host_server.serving import served


def app() -> FastAPI:
    made = FastAPI()

    @made.get("/")
    def tell(request: Request) -> PlainTextResponse:
        return PlainTextResponse(address_of(request))

    return harden(made)


def seen(forwarded: str, trusted: tuple[str, ...] = ()) -> str:
    headers = {"X-Forwarded-For": forwarded.encode()}
    with served(app(), trusted) as url:
        return requests.get(url, headers=headers, timeout=5).text


@pytest.mark.parametrize("forwarded", ["192.0.2.7", "127.0.0.1, 192.0.2.7", "::1"])
def test_a_client_is_not_believed(forwarded: str) -> None:
    assert seen(forwarded) == "127.0.0.1"


def test_the_environment_names_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    assert seen("192.0.2.7") == "127.0.0.1"
    assert seen("192.0.2.7", ("192.0.2.0/24",)) == "127.0.0.1"


def test_a_proxy_that_is_named_is_believed() -> None:
    assert seen("192.0.2.7", ("127.0.0.1/32",)) == "192.0.2.7"
    # What its client wrote before stays before: the address that the proxy saw counts.
    assert seen("203.0.113.9, 192.0.2.7", ("127.0.0.0/8",)) == "192.0.2.7"


@pytest.mark.parametrize("forwarded", ["[2J", "evil", "192.0.2.7 [31m", "x" * 300])
def test_what_is_no_address_goes_no_further(forwarded: str) -> None:
    assert seen(forwarded, ("127.0.0.1/32",)) == ""


@pytest.mark.parametrize("forwarded", ["\x1b[2J", "192.0.2.7\x1b[31m"])
def test_what_no_header_may_hold_is_refused(forwarded: str) -> None:
    with served(app(), ("127.0.0.1/32",)) as url:
        answer = requests.get(url, headers={"X-Forwarded-For": forwarded.encode()}, timeout=5)
    assert answer.status_code == 400
