# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Who is told of what, once somebody has subscribed? Asked of a served platform."""

from typing import Any

import pytest

from muster_server.outgoing import Rules
from muster_server.platform_server.app import create_app
from muster_server.store.platform import PlatformStore
from muster_server.tokens import token_hash
from tests.host_server.platform_server.receiver import Receiver, receiver
from tests.host_server.platform_server.town import (
    ADMIN_TOKEN,
    CUP,
    PEN,
    Town,
    code,
    contents,
    events,
)
from tests.host_server.serving import served


def test_target_is_asked_first_and_told_of_each_reading_in_order(
    town: Town, news: Receiver
) -> None:
    answer = town.subscribe([news.url])
    assert code(answer) == "2001", answer.text
    (asked,) = news.came
    made = answer.json()["m2m:sub"]
    assert asked["m2m:sgn"] == {"vrq": True, "sur": f"/id-in/{made['ri']}", "cr": PEN}
    for n in range(5):
        town.publish(str(n))
    came = news.wait_for(6)
    assert contents(came) == ["0", "1", "2", "3", "4"]
    assert events(came)[0]["net"] == 3
    assert came[1]["m2m:sgn"]["sur"] == asked["m2m:sgn"]["sur"]
    assert news.headers[1]["x-m2m-origin"] == "/id-in"
    assert "authorization" not in news.headers[1]


def test_target_that_does_not_agree_is_not_subscribed(town: Town, news: Receiver) -> None:
    news.status = 403
    assert code(town.subscribe([news.url])) == "5204"
    assert code(town.ask("GET", f"/cse-in/{PEN}/data/watch", PEN)) == "4004"


@pytest.mark.parametrize(
    "there", ["http://127.0.0.1:{}/x", "http://localhost:{}/x", "http://[::1]:{}/x"]
)
def test_nothing_is_sent_inside_unless_it_is_allowed(
    store: PlatformStore, news: Receiver, there: str
) -> None:
    hashes = frozenset({token_hash(ADMIN_TOKEN)})
    with served(create_app(store, lambda: hashes)) as url:
        town = Town(url, store)
        town.register(PEN)
        town.create(f"/{PEN}", PEN, 3, "m2m:cnt", rn="data")
        port = news.url.rpartition(":")[2].partition("/")[0]
        answer = town.subscribe([there.format(port)])
    assert code(answer) == "5204"
    assert "--notify-network" in answer.text or "Error" in answer.text
    assert news.came == []


@pytest.mark.parametrize(
    ("address", "is_allowed"),
    [
        *(("8.8.8.8", True), ("2001:4860:4860::8888", True), ("10.1.2.3", True)),
        *(("10.2.0.1", False), ("192.168.0.1", False), ("169.254.169.254", False)),
        *(("127.0.0.1", False), ("0.0.0.0", False), ("224.0.0.1", False), ("::1", False)),  # noqa: S104
        *(("::ffff:127.0.0.1", False), ("::ffff:10.1.0.1", True), ("fe80::1", False)),
        *(("100.64.0.1", False), ("fd00::1", False)),
    ],
)
def test_what_is_inside(address: str, is_allowed: bool) -> None:
    assert Rules(networks=("10.1.0.0/16",)).allow(address) is is_allowed


@pytest.mark.parametrize(
    ("nu", "wanted"),
    [
        (["ftp://x"], "4000"),
        (["Cnobody"], "4000"),
        (["cse-in"], "4000"),
        ([], "4000"),
        (["http://h.invalid/"], "5204"),
        ([PEN], "5204"),
        (["http://127.0.0.1:1/"] * 4, "4000"),
        ("http://127.0.0.1:1/", "4000"),
    ],
)
def test_target_that_is_none_is_refused(town: Town, nu: Any, wanted: str) -> None:
    assert code(town.subscribe(nu)) == wanted


@pytest.mark.parametrize(
    "about",
    [
        *({"enc": {}}, {"enc": {"net": [5]}}, {"enc": {"net": []}}, {"enc": {"om": []}}),
        *(
            {"nct": 4},
            {"nct": 2},
            {"exc": 0},
            {"bn": {}},
            {"bn": {"num": 0}},
            {"bn": {"dur": "x"}},
        ),
        *({"enc": {"net": [True]}}, {"enc": {"net": [3], "chty": ["4"]}}, {"cr": "Cx"}),
        {"bn": {"num": 101}},
    ],
)
def test_subscription_that_is_not_understood_is_refused(
    town: Town, news: Receiver, about: dict[str, Any]
) -> None:
    assert code(town.subscribe([news.url], **about)) == "4000"
    assert news.came == []


def test_each_kind_of_event_is_told(town: Town, news: Receiver) -> None:
    town.create(f"/cse-in/{PEN}/data", PEN, 3, "m2m:cnt", rn="inner")
    wanted = {"nu": [news.url], "enc": {"net": [1, 2, 3, 4]}}
    town.create(f"/cse-in/{PEN}/data/inner", PEN, 23, "m2m:sub", rn="s", **wanted)
    town.ask("PUT", f"/cse-in/{PEN}/data/inner", PEN, 0, {"m2m:cnt": {"lbl": ["x"]}})
    town.create(f"/cse-in/{PEN}/data/inner", PEN, 4, "m2m:cin", rn="one", con="1")
    town.ask("DELETE", f"/cse-in/{PEN}/data/inner/one", PEN)
    town.ask("DELETE", f"/cse-in/{PEN}/data/inner", PEN)
    told = events(news.wait_for(5))
    assert [event["net"] for event in told] == [1, 3, 4, 2]
    assert told[0]["rep"]["m2m:cnt"]["lbl"] == ["x"]


def test_only_what_was_asked_for_is_told(town: Town, news: Receiver) -> None:
    some: dict[str, Any] = {"enc": {"net": [1], "atr": ["lbl"]}, "nct": 2}
    assert code(town.subscribe([news.url], **some)) == "2001"
    for change in ({"mni": 5}, {"lbl": ["x"]}):
        town.ask("PUT", f"/cse-in/{PEN}/data", PEN, 0, {"m2m:cnt": change})
    (event,) = events(news.wait_for(2))
    assert event["rep"] == {"m2m:cnt": {"lbl": ["x"]}}


def test_id_alone_is_told_if_that_is_wanted(town: Town, news: Receiver) -> None:
    town.subscribe([news.url], nct=3, enc={"net": [3], "chty": [4]})
    town.publish("1")
    latest = town.ask("GET", f"/cse-in/{PEN}/data/la", PEN).json()["m2m:cin"]
    (event,) = events(news.wait_for(2))
    assert event["rep"] == {"m2m:uri": f"/id-in/{latest['ri']}"}


def test_batch_is_sent_when_it_is_full_or_its_time_is_over(town: Town, news: Receiver) -> None:
    town.subscribe([news.url], bn={"num": 3, "dur": 800})
    for n in range(4):
        town.publish(str(n))
    came = news.wait_for(3)
    sizes = [len(one["m2m:agn"]["m2m:sgn"]) for one in came[1:]]
    assert sizes == [3, 1]


def test_subscription_ends_after_as_many_as_it_wanted(town: Town, news: Receiver) -> None:
    town.subscribe([news.url], exc=2)
    for n in range(3):
        town.publish(str(n))
    assert contents(news.wait_for(3)) == ["0", "1"]
    assert code(town.ask("GET", f"/cse-in/{PEN}/data/watch", PEN)) == "4004"


def test_last_words_tell_that_a_subscription_is_gone(town: Town, news: Receiver) -> None:
    town.subscribe([news.url], su=news.url)
    assert code(town.ask("DELETE", f"/cse-in/{PEN}/data/watch", PEN)) == "2002"
    assert news.wait_for(2)[1]["m2m:sgn"]["sud"] is True


def test_last_words_are_said_too_when_the_resource_goes(town: Town, news: Receiver) -> None:
    town.subscribe([news.url], su=news.url)
    assert code(town.ask("DELETE", f"/cse-in/{PEN}/data", PEN)) == "2002"
    assert news.wait_for(2)[1]["m2m:sgn"]["sud"] is True


def test_new_target_is_asked_when_a_subscription_is_changed(town: Town, news: Receiver) -> None:
    town.subscribe([news.url])
    with receiver() as other:
        changed = {"m2m:sub": {"nu": [other.url]}}
        path = f"/cse-in/{PEN}/data/watch"
        assert code(town.ask("PUT", path, PEN, 0, changed)) == "2004"
        town.publish("1")
        assert [list(one["m2m:sgn"])[0] for one in other.wait_for(2)] == ["vrq", "nev"]
        other.status = 500
        gone = {"m2m:sub": {"nu": [other.url + "2"]}}
        assert code(town.ask("PUT", path, PEN, 0, gone)) == "5204"


def test_application_subscribes_to_what_it_reads_and_loses_it_with_its_account(
    town: Town, news: Receiver
) -> None:
    town.register(CUP)
    town.accounts.name_in_policy("owner:a", [PEN])
    issued = town.accounts.open_reader("Capp", "owner:a", kind="application")
    read = town.accounts.open_reader("Cread", "owner:a")
    town.tokens |= {"Capp": issued.token, "Cread": read.token}
    assert code(town.subscribe([news.url], CUP)) == "4103"
    assert code(town.subscribe([news.url], "Cread")) == "4103"
    assert code(town.subscribe([news.url], "Capp")) == "2001"
    assert code(town.ask("GET", f"/cse-in/{PEN}/data/watch", "Capp")) == "2000"
    found = town.ask("GET", "/cse-in?fu=1&ty=23", "Capp").json()["m2m:uril"]
    assert found == [f"cse-in/{PEN}/data/watch"]
    town.publish("1")
    news.wait_for(2)
    town.accounts.close_account("Capp", remove_ae=False)
    town.publish("2")
    town.publish("3")
    assert code(town.ask("GET", f"/cse-in/{PEN}/data/watch", "CAdmin")) == "4004"
    assert contents(news.came) == ["1"]


def test_subscriptions_of_a_resource_are_bounded(town: Town, news: Receiver) -> None:
    codes = [code(town.subscribe([news.url], rn=f"s{n}")) for n in range(33)]
    assert codes == ["2001"] * 32 + ["5207"]


def test_children_that_cannot_be_there_are_not_waited_for(town: Town, news: Receiver) -> None:
    wrong = {"net": [3], "chty": [2]}
    assert code(town.subscribe([news.url], enc=wrong)) == "4000"
    assert code(town.subscribe([news.url], enc={"net": [3], "chty": [3, 4]})) == "2001"
    answer = town.ask("PUT", f"/cse-in/{PEN}/data/watch", PEN, body={"m2m:sub": {"enc": wrong}})
    assert code(answer) == "4000"
