# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does a search cost that fits nearly everything there is?"""

import threading
import time
import tracemalloc
from collections.abc import Iterator

import pytest

from muster_server.platform_server import answering
from muster_server.platform_server.app import create_app
from muster_server.store import platform as store_module
from muster_server.store.engine import database_url, open_engine
from muster_server.store.migrations import migrate
from muster_server.store.platform import HEAD, PlatformStore, Resource
from muster_server.tokens import token_hash
from tests.host_server.platform_server.town import ADMIN_TOKEN, INSIDE, PEN, Town, code
from tests.host_server.serving import served

MANY = 30_000
_WAIT_S = 30


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A device beside thirty that have published a thousand readings each."""
    engine = open_engine(database_url(tmp_path_factory.mktemp("city"), "platform"))
    migrate(engine, "muster_server.platform_server", HEAD)
    store, hashes = PlatformStore(engine), frozenset({token_hash(ADMIN_TOKEN)})
    with served(create_app(store, lambda: hashes, notified=INSIDE)) as url:
        town = Town(url, store)
        town.register(PEN)
        town.create(f"/{PEN}", PEN, 3, "m2m:cnt", rn="data")
        with store.transaction() as rows:
            for n in range(MANY):
                rows.add(_made(n))
        yield town
    engine.dispose()


def _made(n: int) -> Resource:
    above = f"c{n // 1000 * 1000}"
    is_container = n % 1000 == 0
    path = f"cse-in/{above}" + ("" if is_container else f"/c{n}")
    about = {"con": "21.5", "cs": 4, "st": 1}
    parent = "id-in" if is_container else above
    ty = 3 if is_container else 4
    now = "20261123T075904"
    return Resource(f"c{n}", ty, f"c{n}", parent, path, None, now, now, None, about)


def test_answer_and_memory_are_bounded(city: Town) -> None:
    tracemalloc.start()
    try:
        for query in ("fu=1&ty=4", "fu=1&con=2*", "rcn=8&ty=4", "fu=1&ofst=20000", "fu=1&sza=1"):
            answer = city.ask("GET", f"/cse-in?{query}", "CAdmin")
            assert answer.headers["X-M2M-CTS"] == "1"
            assert len(answer.content) < 200_000
        assert tracemalloc.get_traced_memory()[1] < 16 * 1024 * 1024
    finally:
        tracemalloc.stop()


def test_devices_publish_while_everybody_searches(city: Town) -> None:
    done = threading.Event()

    def search() -> None:
        while not done.is_set():
            assert city.ask("GET", "/cse-in?fu=1&con=2*", "CAdmin").status_code in (200, 503)

    searchers = [threading.Thread(target=search) for _ in range(8)]
    for one in searchers:
        one.start()
    try:
        began = time.monotonic()
        for n in range(10):
            city.publish(str(n))
        assert time.monotonic() - began < _WAIT_S
    finally:
        done.set()
        for one in searchers:
            one.join(_WAIT_S)


def test_search_that_takes_too_long_is_ended(city: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "LONGEST_SEARCH_S", 0.0)
    answer = city.ask("GET", "/cse-in?fu=1&con=2*", "CAdmin")
    assert (answer.status_code, code(answer)) == (406, "5207")
    assert city.ask("GET", f"/{PEN}", PEN).status_code == 200


def test_searches_that_wait_are_bounded(city: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "_MOST_SEARCHES", 0)
    answer = city.ask("GET", "/cse-in?fu=1", "CAdmin")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
