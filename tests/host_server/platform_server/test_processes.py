# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Do several processes on one store act as one platform?"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import pytest

from muster_server.errors import Unavailable
from muster_server.platform_server.app import create_app
from muster_server.platform_server.delivery import Delivery
from muster_server.store.engine import open_engine
from muster_server.store.platform import NotAlone, PlatformStore
from muster_server.store.platform_outbox import Notice
from muster_server.store.postgres_turns import number_of
from muster_server.store.secrets import SecretBox
from muster_server.tokens import token_hash
from tests.host_server.platform_server.receiver import Receiver
from tests.host_server.platform_server.town import (
    ADMIN_TOKEN,
    CUP,
    INSIDE,
    PEN,
    Town,
    code,
    contents,
)
from tests.host_server.serving import served
from tests.postgres import Postgres

_PATIENCE_S = 20
PASSWORD = "correct horse 7"


@contextmanager
def process(url: str) -> Iterator[Town]:
    """A process, as far as the store can tell: an app with an engine of its own."""
    engine = open_engine(url)
    store = PlatformStore(engine)
    hashes = frozenset({token_hash(ADMIN_TOKEN)})
    try:
        app = create_app(store, lambda: hashes, notified=INSIDE, box=SecretBox(bytes(32)))
        with served(app) as place:
            yield Town(place, store)
    finally:
        engine.dispose()


@pytest.fixture
def url(postgres: Postgres) -> str:
    return postgres.emptied("platform")


@pytest.fixture
def towns(url: str) -> Iterator[tuple[Town, Town]]:
    """Two processes, and a device with a container; the first one sends notifications."""
    with process(url) as first:
        assert soon(lambda: is_sending(first))
        with process(url) as second:
            second.tokens = first.tokens
            first.register(PEN)
            first.create(f"/{PEN}", PEN, 3, "m2m:cnt", rn="data")
            yield first, second


def is_sending(town: Town) -> bool:
    """Tell whether some process sends."""
    locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objid = ?"
    with town.store.reading() as rows:
        return bool(rows._sql.value(locks, number_of("first news")))


def soon(is_so: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + _PATIENCE_S
    while not (found := is_so()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def test_notification_of_an_event_at_either_process_is_sent_once(
    towns: tuple[Town, Town], news: Receiver
) -> None:
    assert code(towns[0].subscribe([news.url])) == "2001"
    for n in range(10):
        towns[n % 2].publish(str(n))
    assert contents(news.wait_for(11)) == [str(n) for n in range(10)]
    assert soon(lambda: towns[0].pending() == 0)
    assert len(news.came) == 11


def test_whoever_is_left_sends_what_the_other_has_left(url: str, news: Receiver) -> None:
    with ExitStack() as kept, ExitStack() as gone:
        ended = gone.enter_context(process(url))
        assert soon(lambda: is_sending(ended))
        left = kept.enter_context(process(url))
        left.tokens = ended.tokens
        ended.register(PEN)
        ended.create(f"/{PEN}", PEN, 3, "m2m:cnt", rn="data")
        ended.subscribe([news.url])
        news.status = 503
        ended.publish("1")
        news.wait_for(2)
        gone.close()
        news.status = 200
        left.publish("2")
        assert soon(lambda: contents(news.came)[-2:] == ["1", "2"])
        assert soon(lambda: left.pending() == 0)


def test_batch_is_filled_by_both_processes(towns: tuple[Town, Town], news: Receiver) -> None:
    towns[1].subscribe([news.url], bn={"num": 4})
    for n in range(4):
        towns[n % 2].publish(str(n))
    sent = news.wait_for(2)[1]["m2m:agn"]["m2m:sgn"]
    assert [one["nev"]["rep"]["m2m:cin"]["con"] for one in sent] == ["0", "1", "2", "3"]


def test_poll_at_one_process_ends_with_an_event_at_the_other(towns: tuple[Town, Town]) -> None:
    first, second = towns
    first.create(f"/{PEN}", PEN, 15, "m2m:pch", rn="calls")
    assert code(first.subscribe([PEN])) == "2001"
    poll = f"/cse-in/{PEN}/calls/pcu"
    with ThreadPoolExecutor(1) as pool:
        polling = pool.submit(first.ask, "GET", poll, PEN, X_M2M_RET="10000")
        time.sleep(0.5)
        began = time.monotonic()
        second.publish("late")
        found = polling.result(timeout=_PATIENCE_S).json()["m2m:rqp"]
    assert time.monotonic() - began < 8  # was told, and did not look by itself
    assert contents([found["pc"]]) == ["late"]
    # What was fetched at one process is answered at the other, and is nobody's any more.
    done = {"m2m:rsp": {"rqi": found["rqi"], "rsc": 2000}}
    assert code(second.ask("POST", poll, PEN, 0, done)) == "2000"
    assert code(first.ask("POST", poll, PEN, 0, done)) == "4004"
    assert first.pending() == 0


def test_request_is_fetched_once_by_polls_at_both(towns: tuple[Town, Town]) -> None:
    first, second = towns
    first.create(f"/{PEN}", PEN, 15, "m2m:pch", rn="calls")
    first.subscribe([PEN])
    poll = f"/cse-in/{PEN}/calls/pcu"
    with ThreadPoolExecutor(2) as pool:
        older = pool.submit(first.ask, "GET", poll, PEN, X_M2M_RET="15000")
        time.sleep(0.5)
        newer = pool.submit(second.ask, "GET", poll, PEN, X_M2M_RET="15000")
        assert code(older.result(timeout=8)) == "4008"
        first.publish("new")
        answer = newer.result(timeout=_PATIENCE_S).json()["m2m:rqp"]
    assert contents([answer["pc"]]) == ["new"]
    assert code(first.ask("GET", poll, PEN, X_M2M_RET="200")) == "4008"


def test_token_that_was_revoked_at_one_process_opens_nothing_at_the_other(
    towns: tuple[Town, Town],
) -> None:
    first, second = towns
    issued = first.accounts.open_account(PEN)
    second.tokens = {**second.tokens, PEN: issued.token}
    assert code(second.ask("GET", f"/{PEN}", PEN)) == "2000"
    first.accounts.revoke_token(PEN, issued.token_id)
    assert second.ask("GET", f"/{PEN}", PEN).status_code == 401
    assert second.ask("POST", f"/{PEN}", PEN, 3, {"m2m:cnt": {}}).status_code == 401


def test_what_one_process_makes_is_discovered_at_the_other(towns: tuple[Town, Town]) -> None:
    first, second = towns
    first.register(CUP, lbl=["red"])
    found = second.ask("GET", "/cse-in?fu=1&lbl=red", "CAdmin").json()["m2m:uril"]
    assert found == [f"cse-in/{CUP}"]


def test_expiry_is_noted_once(towns: tuple[Town, Town]) -> None:
    first, second = towns
    first.register(CUP)
    with first.store.transaction() as rows:
        rows._sql.run("UPDATE resources SET et = '20200101T000000' WHERE ri = ?", PEN)
    with ThreadPoolExecutor(8) as pool:
        asked = [
            pool.submit(towns[n % 2].ask, "POST", f"/{CUP}", CUP, 3, {"m2m:cnt": {}})
            for n in range(8)
        ]
        assert {code(each.result()) for each in asked} == {"2001"}
    with second.store.reading() as rows:
        expired = [sight for sight in rows.history.of(PEN) if sight.what == "expired"]
    assert [sight.times for sight in expired] == [1]


def test_request_of_a_process_that_runs_is_not_given_up(
    towns: tuple[Town, Town], url: str
) -> None:
    first, _ = towns
    answer = first.ask("GET", f"/{PEN}?rt=1", PEN, X_M2M_OET="1500")
    assert answer.status_code == 202, answer.text
    with process(url):  # starts meanwhile
        place = "/" + answer.json()["m2m:uri"]
        assert soon(lambda: first.ask("GET", place, PEN).json()["m2m:req"]["rs"] != 3)
    assert first.ask("GET", place, PEN).json()["m2m:req"]["rs"] == 1


def test_secret_that_was_written_at_one_process_is_handed_on_by_the_other(
    towns: tuple[Town, Town],
) -> None:
    first, second = towns
    first.create("/cse-in", "CAdmin", 14, "m2m:nod", rn="nod-P", ni="x")
    about = {"mgd": 1028, "rn": "fic", "ssid": "factory", "scan": False, "scanr": []}
    first.create("/cse-in/nod-P", "CAdmin", 13, "dcfg:wific", **about)
    change = {"dcfg:wific": {"ssid": "office", "wcrds": {"enct": 4, "wpap": PASSWORD}}}
    there = "/cse-in/nod-P/fic"
    assert code(first.ask("PUT", there, "CAdmin", 0, change)) == "2004"
    handed = second.ask("GET", f"/handed-on{there}", "CAdmin").json()
    assert handed["value"]["wpap"] == PASSWORD
    with first.store.reading() as rows:
        kept = rows._sql.value("SELECT value FROM handed_on")
    assert PASSWORD.encode() not in bytes(kept)
    second.ask("DELETE", f"/handed-on{there}?id={handed['id']}", "CAdmin")
    assert first.ask("GET", f"/handed-on{there}", "CAdmin").json()["value"] is None


def test_container_counts_right_while_both_processes_fill_it(towns: tuple[Town, Town]) -> None:
    first, second = towns
    first.create(f"/{PEN}", PEN, 3, "m2m:cnt", rn="few", mni=5)
    place = f"/cse-in/{PEN}/few"
    with ThreadPoolExecutor(8) as pool:
        made = [
            pool.submit(towns[n % 2].ask, "POST", place, PEN, 4, {"m2m:cin": {"con": "x" * n}})
            for n in range(40)
        ]
        assert {code(each.result()) for each in made} == {"2001"}
    counts = second.ask("GET", place, PEN).json()["m2m:cnt"]
    with first.store.reading() as rows:
        container = rows.resource_at(place[1:])
        assert container is not None
        kept = rows.children_of_type(container.ri, 4, 100)
    assert (counts["cni"], counts["st"]) == (len(kept), 40) == (5, 40)
    assert counts["cbs"] == sum(leaf.attributes["cs"] for leaf in kept)
    assert [leaf.attributes["st"] for leaf in kept] == list(range(36, 41))


def test_one_of_two_who_want_the_same_name_gets_it(towns: tuple[Town, Town]) -> None:
    with ThreadPoolExecutor(8) as pool:
        for n in range(5):
            made = [
                pool.submit(town.ask, "POST", f"/{PEN}", PEN, 3, {"m2m:cnt": {"rn": f"c{n}"}})
                for town in towns
            ]
            assert sorted(code(each.result()) for each in made) == ["2001", "4105"]


def test_subtree_that_is_deleted_beside_creations_leaves_nothing_behind(
    towns: tuple[Town, Town],
) -> None:
    first, second = towns
    with ThreadPoolExecutor(8) as pool:
        for n in range(5):
            first.create(f"/{PEN}", PEN, 3, "m2m:cnt", rn=f"c{n}")
            place = f"/cse-in/{PEN}/c{n}"
            made = [
                pool.submit(towns[k % 2].ask, "POST", place, PEN, 3, {"m2m:cnt": {}})
                for k in range(6)
            ]
            gone = pool.submit(second.ask, "DELETE", place, PEN)
            assert code(gone.result()) == "2002"
            assert {code(each.result()) for each in made} <= {"2001", "4004"}
    with first.store.reading() as rows:
        orphans = (
            "SELECT count(*) FROM resources WHERE pi <> ''"
            " AND pi NOT IN (SELECT ri FROM resources)"
        )
        assert rows._sql.value(orphans) == 0


def test_node_and_ae_that_are_made_at_once_are_linked(towns: tuple[Town, Town]) -> None:
    first, second = towns
    with ThreadPoolExecutor(2) as pool:
        for n in range(6):
            originator = f"Cone{n}"
            first.tokens[originator] = first.accounts.open_account(originator).token
            entity = {"rn": originator, "api": "N1", "rr": False, "srv": ["4"]}
            node = {"rn": f"nod-{n}", "ni": "x", "hael": [originator]}
            made = [
                pool.submit(first.ask, "POST", "/cse-in", originator, 2, {"m2m:ae": entity}),
                pool.submit(second.ask, "POST", "/cse-in", "CAdmin", 14, {"m2m:nod": node}),
            ]
            assert {code(each.result()) for each in made} == {"2001"}
            there = first.ask("GET", f"/cse-in/nod-{n}", "CAdmin").json()["m2m:nod"]["ri"]
            found = second.ask("GET", f"/{originator}", "CAdmin").json()["m2m:ae"]
            assert found.get("nl") == there


def test_what_is_about_something_else_runs_beside_it(towns: tuple[Town, Town]) -> None:
    first, second = towns
    second.register(CUP)
    with first.store.transaction({PEN}):  # a process that takes its time
        assert code(second.ask("POST", f"/{CUP}", CUP, 3, {"m2m:cnt": {}}, timeout_s=3)) == "2001"
        assert second.accounts.open_account("Cnew") is not None


def test_transaction_that_meets_something_else_is_repeated_alone(
    towns: tuple[Town, Town],
) -> None:
    first, second = towns
    with pytest.raises(NotAlone), first.store.transaction({CUP}) as rows:
        pen = rows.resource(PEN)
        assert pen is not None
        rows.change(pen)
    # An AE by another name than its own: what its node says of it is written there.
    first.tokens["Cother"] = first.accounts.open_account("Cother").token
    entity = {"rn": "kettle", "api": "N1", "rr": False, "srv": ["4"]}
    first.create("/cse-in", "Cother", 2, "m2m:ae", **entity)
    node = {"rn": "nod-9", "ni": "x", "hael": ["Cother"]}
    made = second.create("/cse-in", "CAdmin", 14, "m2m:nod", **node)
    assert first.ask("GET", "/Cother", "Cother").json()["m2m:ae"]["nl"] == made["ri"]
    assert code(first.ask("POST", "/Cother", "Cother", 3, {"m2m:cnt": {"rn": "c"}})) == "2001"


def test_notice_that_was_taken_and_never_came_is_sent_once_all_the_same(
    towns: tuple[Town, Town], news: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = towns
    first.subscribe([news.url])
    take = Delivery._untaken
    lost: list[int] = []

    def lose(delivery: Delivery) -> list[Notice]:
        found = take(delivery)
        if found and not lost:
            lost.extend(notice.seq for notice in found)
            raise Unavailable("the answer to the commit is lost")
        return found

    monkeypatch.setattr(Delivery, "_untaken", lose)
    second.publish("0")  # whoever sends waits for this with the former one
    news.wait_for(2)
    second.publish("1")
    assert soon(lambda: bool(lost))
    second.publish("2")
    assert contents(news.wait_for(4)) == ["0", "1", "2"]
    assert soon(lambda: first.pending() == 0)
    assert len(news.came) == 4
