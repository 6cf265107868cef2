# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does a call to another server promise?"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, RedirectResponse

from muster_server.errors import ServiceUnreachable
from muster_server.service_client import (
    CONFIG_TIMEOUT_S,
    CONNECT_TIMEOUT_S,
    PLATFORM_TIMEOUT_S,
    PORTAL_TIMEOUT_S,
    call,
)
from tests.host_server.serving import served

LONG_S = 30


@pytest.fixture
def url() -> Iterator[str]:
    app = FastAPI()

    @app.get("/token")
    def token(request: Request) -> JSONResponse:
        return JSONResponse(request.headers["authorization"])

    @app.get("/elsewhere")
    def elsewhere() -> RedirectResponse:
        return RedirectResponse("/token")

    with served(app) as url:
        yield url


def test_token_goes_to_the_server_and_to_no_proxy_or_netrc(
    url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    answer = call("GET", url + "/token", "secret", read_timeout_s=LONG_S)
    assert answer.json() == "Bearer secret"


def test_redirect_is_not_followed(url: str) -> None:
    answer = call("GET", url + "/elsewhere", "secret", read_timeout_s=LONG_S)
    assert answer.status_code == 307


def test_server_that_is_away_is_said_so_without_the_token_and_the_query() -> None:
    with pytest.raises(ServiceUnreachable) as caught:
        call("GET", "http://127.0.0.1:9/x?owner=admin", "secret", read_timeout_s=LONG_S)
    assert "http://127.0.0.1:9/x did not answer" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "admin" not in str(caught.value)


def test_server_that_is_slow_is_not_waited_for(url: str) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ServiceUnreachable, match="did not answer in time"):
            call("GET", address, "secret", read_timeout_s=0.1)


def test_who_asks_a_server_that_asks_another_one_waits_longer() -> None:
    assert CONFIG_TIMEOUT_S > 2 * (CONNECT_TIMEOUT_S + PLATFORM_TIMEOUT_S)
    assert PORTAL_TIMEOUT_S > 2 * (CONNECT_TIMEOUT_S + CONFIG_TIMEOUT_S)
