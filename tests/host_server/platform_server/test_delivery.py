# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does a notification reach its target, through failures and restarts, and does nobody wait?"""

import time

from muster_server.platform_server.app import create_app
from muster_server.store.platform import PlatformStore
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
