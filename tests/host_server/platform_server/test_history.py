# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does the platform remember of a registration?"""

from typing import Any

from muster_server.platform_server.bounds import DAY_S
from muster_server.platform_server.timestamps import timestamp
from muster_server.store.platform_history import KEPT
from tests.host_server.platform_server.client import ADMIN_TOKEN, Client

PEN = "Cpen0123456789"
LABEL = ["muster:MST-0001"]
AE: dict[str, Any] = {"api": "Norg.muster", "rr": False, "srv": ["4"], "rn": PEN, "lbl": LABEL}


def history(platform: Client, originator: str = PEN) -> Any:
    answer = platform.http("GET", f"/accounts/{originator}/history", token=ADMIN_TOKEN)
    assert answer.status == 200
    return answer.body


def seen(platform: Client, originator: str = PEN) -> list[tuple[str, str]]:
    return [(sight["what"], sight["code"]) for sight in history(platform, originator)["seen"]]


def ask_to_register(platform: Client, **changes: Any) -> None:
    platform.ask("POST", "/cse-in", PEN, 2, {"m2m:ae": AE | changes})


def test_it_tells_how_a_registration_went(platform: Client) -> None:
    platform.register(PEN, lbl=LABEL)
    platform.ask("POST", f"/{PEN}", PEN, 3, {"m2m:cnt": {"rn": "data"}})
    for _ in range(3):
        platform.ask("POST", f"/cse-in/{PEN}/data", PEN, 4, {"m2m:cin": {"con": "1"}})
    end = timestamp(platform.clock.now_s + DAY_S)
    platform.ask("PUT", f"/{PEN}", PEN, None, {"m2m:ae": {"et": end}})
    platform.clock.now_s += DAY_S + 1
    platform.ask("GET", "/cse-in")
    platform.http("DELETE", f"/accounts/{PEN}", token=ADMIN_TOKEN)
    whats = [what for what, code in seen(platform)]
    assert whats == [
        "account_made",
        "token_issued",
        "registered",
        "first_reading",
        "renewed",
        "expired",
        "account_closed",
    ]
    times = [sight["at"] for sight in history(platform)["seen"]]
    assert times == sorted(times)


def test_tokens_that_are_issued_in_a_row_are_counted_and_a_new_account_begins_anew(
    platform: Client,
) -> None:
    for _ in range(3):
        platform.account(PEN)
    assert [sight["times"] for sight in history(platform)["seen"]] == [1, 3]
    platform.http("DELETE", f"/accounts/{PEN}", token=ADMIN_TOKEN)
    platform.account(PEN)
    whats = [what for what, _ in seen(platform)]
    assert whats == ["account_made", "token_issued", "account_closed", *whats[:2]]


def test_device_that_comes_back_is_counted_and_another_one_is_a_conflict(
    platform: Client,
) -> None:
    platform.register(PEN, lbl=LABEL)
    for _ in range(3):
        ask_to_register(platform)
    ask_to_register(platform, lbl=["muster:OTHER"])
    assert seen(platform)[-2:] == [("came_again", "ok"), ("refused", "platform_conflict")]
    assert history(platform)["seen"][-2]["times"] == 3


def test_refusals_are_remembered_with_their_reason(platform: Client) -> None:
    platform.account(PEN)
    ask_to_register(platform, rn="id-in/..")
    platform.ask("GET", "/cse-in", PEN, token="nobody's")
    last = history(platform)["seen"][-2:]
    assert [(s["what"], s["code"]) for s in last] == [("refused", "platform_refused")] * 2
    assert [s["detail"] for s in last] == ["RSC 4000", "HTTP 401"]


def test_stranger_cannot_fill_the_store(platform: Client) -> None:
    for n in range(5):
        platform.ask("GET", "/cse-in", f"Cnobody{n}", token="nobody's")
        assert seen(platform, f"Cnobody{n}") == []
    platform.account(PEN)
    for _ in range(KEPT // 2 + 5):
        platform.ask("GET", "/cse-in", PEN, token="nobody's")
        ask_to_register(platform, rn="id-in/..")
    assert len(history(platform)["seen"]) == KEPT


def test_newest_timeline_of_the_device_is_told(platform: Client) -> None:
    platform.register(PEN, lbl=LABEL)
    assert history(platform)["timeline"] is None
    platform.ask("POST", f"/{PEN}", PEN, 3, {"m2m:cnt": {"rn": "muster"}})
    for con in ("1", '{"timeline":[[9,"ok",5]]}'):
        platform.ask("POST", f"/cse-in/{PEN}/muster", PEN, 4, {"m2m:cin": {"con": con}})
    assert history(platform)["timeline"]["con"] == '{"timeline":[[9,"ok",5]]}'


def test_only_the_administrator_may_read_it(platform: Client) -> None:
    token = platform.account(PEN)
    assert platform.http("GET", f"/accounts/{PEN}/history", token=token).status == 401
