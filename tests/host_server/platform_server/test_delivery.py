# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does a notification reach its target, through failures and restarts, and does nobody wait?"""

import asyncio
import json
import time

import pytest

from muster_server.document import compact_json
from muster_server.platform_server import delivery as delivery_module
from muster_server.platform_server import outgoing
from muster_server.platform_server.app import create_app
from muster_server.platform_server.delivery import MOST_KEPT, Delivery
from muster_server.store.platform import PlatformStore
from muster_server.store.platform_outbox import Notice
from muster_server.tokens import token_hash
from tests.host_server.platform_server.receiver import Receiver, receiver
from tests.host_server.platform_server.town import (
    ADMIN_TOKEN,
    INSIDE,
    PEN,
    Town,
    code,
    contents,
)
from tests.host_server.serving import served


def test_redirect_is_not_followed(town: Town, news: Receiver) -> None:
    with receiver() as other:
        news.status, news.location = 307, other.url
        assert code(town.subscribe([news.url])) == "5204"
        assert other.came == []


def test_receiver_that_answers_slowly_delays_nobody(town: Town, news: Receiver) -> None:
    with receiver() as quick:
        town.subscribe([news.url], rn="slow")
        town.subscribe([quick.url], rn="quick")
        news.wait_s = 2.0
        began = time.monotonic()
        for n in range(5):
            town.publish(str(n))
        assert contents(quick.wait_for(6)) == ["0", "1", "2", "3", "4"]
        assert time.monotonic() - began < 5 * news.wait_s


def test_receiver_that_is_gone_is_tried_again_and_costs_a_publisher_nothing(
    town: Town, news: Receiver
) -> None:
    town.subscribe([news.url])
    news.status = 503
    town.publish("1")
    news.wait_for(2)
    news.status = 200
    assert contents(news.wait_for(3)) == ["1", "1"]


def test_platform_itself_as_a_target_is_refused(town: Town) -> None:
    answer = town.subscribe([f"{town.url}/cse-in/{PEN}/data"])
    assert code(answer) == "5204"
    assert "HTTP 401" in answer.text


def test_restart_loses_no_notification(store: PlatformStore, news: Receiver) -> None:
    hashes = frozenset({token_hash(ADMIN_TOKEN)})
    with served(create_app(store, lambda: hashes, notified=INSIDE)) as url:
        town = Town(url, store)
        town.register(PEN)
        town.create(f"/{PEN}", PEN, 3, "m2m:cnt", rn="data")
        town.subscribe([news.url])
        news.status = 503
        for n in range(20):
            town.publish(str(n))
        news.wait_for(2)
    news.status = 200
    already = len(news.came)
    with served(create_app(store, lambda: hashes, notified=INSIDE)):
        came = news.wait_for(already + 20)
        assert contents(came[already:]) == [str(n) for n in range(20)]
        deadline = time.monotonic() + 10
        while town.pending() and time.monotonic() < deadline:
            time.sleep(0.05)
    assert town.pending() == 0


def test_one_connection_serves_many_notifications(town: Town, news: Receiver) -> None:
    town.subscribe([news.url])
    for n in range(5):
        town.publish(str(n))
    assert contents(news.wait_for(6)) == ["0", "1", "2", "3", "4"]
    assert news.connections == 1


def test_connection_that_was_ended_is_made_anew(town: Town, news: Receiver) -> None:
    news.ends_connections = True
    town.subscribe([news.url])
    for n in range(3):
        town.publish(str(n))
        news.wait_for(2 + n)
    assert contents(news.came) == ["0", "1", "2"]
    assert news.connections == 4


def test_ten_thousand_that_waited_for_a_restart_are_delivered_in_order(
    store: PlatformStore,
) -> None:
    targets = ["https://a.example/news", "https://b.example/news"]
    with store.transaction() as rows:
        for n in range(MOST_KEPT + 100):
            rows.outbox.add(Notice(targets[n % 2], "sub1", compact_json({"n": n}), 1.0))
    came: dict[str, list[int]] = {target: [] for target in targets}

    async def post(url: str, body: bytes) -> None:
        await asyncio.sleep(0)
        came[url].append(json.loads(body)["m2m:sgn"]["n"])

    async def restarted() -> float:
        """The longest time in seconds for which nobody else in the loop had a turn."""
        delivery = Delivery(store, post)
        await delivery.begin()
        delivery.come_first(True)
        tidying = asyncio.create_task(delivery.run())
        worst, deadline = 0.0, time.monotonic() + 60
        while sum(map(len, came.values())) < MOST_KEPT or _left(store):
            began = time.monotonic()
            assert began < deadline
            await asyncio.sleep(0.01)
            worst = max(worst, time.monotonic() - began)
        tidying.cancel()
        await asyncio.gather(tidying, return_exceptions=True)
        return worst

    worst_s = asyncio.run(restarted())
    # The oldest have given way: a target's own are in the order of their events.
    assert came[targets[0]] == list(range(100, MOST_KEPT + 100, 2))
    assert came[targets[1]] == list(range(101, MOST_KEPT + 100, 2))
    assert worst_s < 1.0


def _left(store: PlatformStore) -> int:
    with store.reading() as rows:
        return len(rows.outbox.oldest(1))


def test_what_waits_is_bounded_by_its_size(
    store: PlatformStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery_module, "MOST_BYTES", 1000)
    came: list[int] = []

    async def post(url: str, body: bytes) -> None:
        await asyncio.sleep(0.01)
        came.append(json.loads(body)["m2m:sgn"]["n"])

    async def flooded() -> None:
        delivery = Delivery(store, post)
        await delivery.begin()
        delivery.come_first(True)
        with store.transaction() as rows:
            for n in range(50):
                rows.outbox.add(Notice("https://a.example", "sub1", f'{{"n":{n:95d}}}', 1.0))
        delivery.take(rows.outbox.added)
        tidying = asyncio.create_task(delivery.run())
        deadline = time.monotonic() + 20
        while await asyncio.to_thread(_left, store):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.02)
        tidying.cancel()
        await asyncio.gather(tidying, return_exceptions=True)

    asyncio.run(flooded())
    assert came[-1] == 49
    assert 8 <= len(came) <= 12


def test_receiver_that_never_answers_is_given_up_and_costs_a_publisher_nothing(
    town: Town, news: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outgoing, "DEADLINE_S", 0.2)
    monkeypatch.setattr(delivery_module, "_TRIES", 1)
    town.subscribe([news.url])
    news.wait_s = 3.0
    began = time.monotonic()
    for n in range(5):
        town.publish(str(n))
    news.wait_for(2)
    assert time.monotonic() - began < news.wait_s
    deadline = time.monotonic() + 10
    while town.pending():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert len(news.came) == 2
    assert code(town.subscribe([news.url], rn="again")) == "5204"
