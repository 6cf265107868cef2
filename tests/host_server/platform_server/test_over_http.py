# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does the platform do over a socket, and for many at once, what it does for one at a time?"""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
import uvicorn

from muster_server.store import engine as engine_module
from tests.host_server.platform_server.client import ADMIN_TOKEN, Client, running

PEN = "Cpen0123456789"
AE: dict[str, object] = {"m2m:ae": {"rn": "pen", "api": "Norg.muster", "rr": False, "srv": ["4"]}}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Client, str]]:
    """A platform on a SQLite file behind uvicorn, and its URL."""
    with running(f"sqlite:///{tmp_path / 'platform.sqlite'}") as client:
        config = uvicorn.Config(
            client.app, "127.0.0.1", 0, log_level="warning", server_header=False, lifespan="off"
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            yield client, _url(server)
        finally:
            server.should_exit = True
            thread.join(10)


def _url(server: uvicorn.Server) -> str:
    deadline = threading.Event()
    for _ in range(500):
        if server.started:
            break
        deadline.wait(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    return f"http://127.0.0.1:{port}"


def _headers(originator: str, token: str, ty: int | None = None) -> dict[str, str]:
    headers = {
        "Authorization": f"Bearer {token}",
        "X-M2M-Origin": originator,
        "X-M2M-RI": "r1",
        "X-M2M-RVI": "4",
    }
    return headers | ({"Content-Type": f"application/json;ty={ty}"} if ty else {})


@pytest.mark.parametrize("connection", ["keep-alive", "close"])
def test_a_devices_four_requests(served: tuple[Client, str], connection: str) -> None:
    client, url = served
    token = client.account(PEN)
    asked: list[tuple[str, str, int | None, dict[str, object] | None]] = [
        ("POST", "/cse-in", 2, AE),
        ("POST", f"/{PEN}", 3, {"m2m:cnt": {"rn": "data", "mni": 10}}),
        ("POST", "/cse-in/pen/data", 4, {"m2m:cin": {"con": "21.5"}}),
        ("GET", "/cse-in/pen/data/la", None, None),
    ]
    with requests.Session() as session:
        session.headers["Connection"] = connection
        codes = [
            session.request(
                method, url + to, headers=_headers(PEN, token, ty), json=document, timeout=5
            ).headers["X-M2M-RSC"]
            for method, to, ty, document in asked
        ]
    assert codes == ["2001", "2001", "2001", "2000"]


def test_many_at_once_are_all_counted(served: tuple[Client, str]) -> None:
    client, url = served
    token = client.account(PEN)
    client.ask("POST", "/cse-in", PEN, 2, AE)
    client.ask("POST", f"/{PEN}", PEN, 3, {"m2m:cnt": {"rn": "data", "mni": 20}})

    def publish(number: int) -> str:
        return requests.post(
            f"{url}/cse-in/pen/data",
            headers=_headers(PEN, token, 4),
            json={"m2m:cin": {"con": str(number % 10)}},
            timeout=10,
        ).headers["X-M2M-RSC"]

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(publish, range(40))) == {"2001"}
    shown = client.ask("GET", "/cse-in/pen/data?rcn=4", PEN).body["m2m:cnt"]
    assert (shown["cni"], shown["cbs"], shown["st"]) == (20, 20, 40)
    assert len(shown["m2m:cin"]) == 20


def test_only_one_of_many_registrations_at_once_succeeds(served: tuple[Client, str]) -> None:
    client, url = served
    token = client.account(PEN)

    def register(_: int) -> str:
        return requests.post(
            f"{url}/cse-in", headers=_headers(PEN, token, 2), json=AE, timeout=10
        ).headers["X-M2M-RSC"]

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(register, range(8))) == ["2001"] + ["4117"] * 7


def test_endless_body_is_cut_off(served: tuple[Client, str]) -> None:
    _, url = served

    def parts() -> Iterator[bytes]:
        for _ in range(64):
            yield b"x" * 1024

    answer = requests.post(
        f"{url}/cse-in", headers=_headers("CAdmin", ADMIN_TOKEN, 2), data=parts(), timeout=5
    )
    assert answer.status_code == 413


def test_platform_whose_database_is_busy_says_when_to_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "BUSY_TIMEOUT_S", 0.05)
    url = f"sqlite:///{tmp_path / 'platform.sqlite'}"
    with running(url) as client:
        other = engine_module.open_engine(url)
        with other.begin():
            answers = [
                client.ask("POST", "/cse-in", "CAdmin", 3, {"m2m:cnt": {}}),
                client.http("PUT", f"/accounts/{PEN}", token=ADMIN_TOKEN),
            ]
            read = client.ask("GET", "/cse-in?rcn=4")
        other.dispose()
    assert read.status == 200  # who reads waits for nobody who writes
    assert [(a.status, a.headers["RETRY-AFTER"], a.body["code"]) for a in answers] == [
        (503, "2", "unavailable"),
        (503, "2", "unavailable"),
    ]
