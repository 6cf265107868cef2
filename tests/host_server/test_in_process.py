# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does a call from one role to another promise, within one process?"""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from muster_server.errors import NoAnswer
from muster_server.in_process import Door
from muster_server.threads import Threads, use_threads

_LONG_S = 20


@pytest.fixture
def door() -> Iterator[Door]:
    app = FastAPI()
    use_threads(app, Threads(2))

    @app.post("/echo/{name}")
    async def echo(name: str, request: Request, also: str = "") -> JSONResponse:
        body = (await request.body()).decode()
        told = [name, also, request.headers.get("authorization"), body]
        return JSONResponse(told, 201, {"X-Told": "yes"})

    @app.get("/slow")
    async def slow() -> None:
        await asyncio.sleep(_LONG_S)

    made = Door(app, "test")
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    made.open(loop)
    try:
        yield made
    finally:
        made.close()
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_LONG_S)
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


def test_request_comes_as_over_http_and_so_does_the_answer(door: Door) -> None:
    answer = door.ask("POST", "/echo/a%20b?also=c%26d", "secret", {"x": 1}, read_timeout_s=_LONG_S)
    assert (answer.status_code, answer.ok, answer.headers["x-told"]) == (201, True, "yes")
    assert answer.json() == ["a b", "c&d", "Bearer secret", '{"x":1}']
    missing = door.ask("GET", "/nowhere", None, read_timeout_s=_LONG_S)
    assert (missing.status_code, missing.ok) == (404, False)


def test_role_that_is_slow_or_does_not_run_gives_no_answer(door: Door) -> None:
    with pytest.raises(NoAnswer, match="took longer"):
        door.ask("GET", "/slow", "secret", read_timeout_s=0.05)
    door.close()
    with pytest.raises(NoAnswer, match="does not run") as caught:
        door.ask("GET", "/slow", "secret", read_timeout_s=_LONG_S)
    assert "secret" not in str(caught.value)


def test_many_ask_at_the_same_time(door: Door) -> None:
    def ask(n: int) -> object:
        answer = door.ask("POST", f"/echo/{n}", None, n, read_timeout_s=_LONG_S)
        return answer.json()[0]

    with ThreadPoolExecutor(32) as pool:
        assert list(pool.map(ask, range(64))) == [str(n) for n in range(64)]
