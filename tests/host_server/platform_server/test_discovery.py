# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does a discovery promise when there is more than one answer holds?"""

from collections.abc import Iterator

import pytest

from muster_server.platform_server.access import Caller, may, reach
from muster_server.platform_server.bounds import Bounds
from muster_server.platform_server.primitives import Operation
from muster_server.store.engine import MEMORY, open_engine
from muster_server.store.migrations import migrate
from muster_server.store.platform import HEAD, PlatformStore, Resource, Rows
from muster_server.store.platform_records import Reach
from muster_server.store.platform_search import Filter
from tests.host_server.platform_server.client import Client, running

MOST = 5
PEN = "Cpen0123456789"
CUP = "Ccup0123456789"


@pytest.fixture
def platform() -> Iterator[Client]:
    """One that tells five at once, and has more devices than that with the same label."""
    with running("sqlite://", bounds=Bounds(results=MOST)) as client:
        for n in range(MOST + 3):
            client.register(f"Cother{n}", lbl=["readings"])
        yield client


def found(platform: Client, query: str, originator: str = "CAdmin") -> tuple[list[str], bool]:
    """Addresses, and whether the answer says that there are more."""
    answer = platform.ask("GET", f"/cse-in?fu=1&{query}", originator)
    assert answer.status == 200
    return answer.body["m2m:uril"], answer.headers.get("X-M2M-CTS") == "1"


def test_what_is_rare_is_found_behind_many_others(platform: Client) -> None:
    node = {"m2m:nod": {"rn": "nod-MST-0001", "ni": "muster:MST-0001"}}
    platform.ask("POST", "/cse-in", ty=14, document=node)
    assert found(platform, "ty=14") == (["cse-in/nod-MST-0001"], False)


def test_device_finds_its_own_by_a_label_that_many_others_have(platform: Client) -> None:
    platform.register(PEN)
    container = {"m2m:cnt": {"rn": "data", "lbl": ["readings"]}}
    platform.ask("POST", f"/{PEN}", PEN, 3, container)
    assert found(platform, "lbl=readings", PEN) == ([f"cse-in/{PEN}/data"], False)


@pytest.mark.parametrize(
    ("query", "count", "is_partial"),
    [
        ("ty=2", MOST, True),
        ("ty=2&lim=3", 3, True),
        ("ty=2&lim=0", 0, True),
        ("lbl=readings", MOST, True),
        ("lbl=nothing", 0, False),
        ("ty=3", 0, False),
    ],
)
def test_answer_says_whether_there_is_more(
    platform: Client, query: str, count: int, is_partial: bool
) -> None:
    addresses, said = found(platform, query)
    assert (len(addresses), said) == (count, is_partial)


def test_answer_that_holds_everything_does_not_say_that_there_is_more() -> None:
    with running("sqlite://", bounds=Bounds(results=MOST)) as platform:
        for n in range(MOST):
            platform.register(f"Cother{n}")
        assert found(platform, "ty=2")[1] is False


def test_cut_answer_has_the_uppermost(platform: Client) -> None:
    platform.register(PEN)
    for name in ("a", "b"):
        platform.ask("POST", f"/{PEN}", PEN, 3, {"m2m:cnt": {"rn": name}})
    for n in range(MOST):
        platform.ask("POST", f"/cse-in/{PEN}/a", PEN, 4, {"m2m:cin": {"con": str(n)}})
    shown = platform.ask("GET", f"/{PEN}?rcn=4", PEN)
    assert shown.headers["X-M2M-CTS"] == "1"
    assert [c["rn"] for c in shown.body["m2m:ae"]["m2m:cnt"]] == ["a", "b"]


def test_only_so_many_levels_are_searched(platform: Client) -> None:
    platform.register(PEN)
    platform.ask("POST", f"/{PEN}", PEN, 3, {"m2m:cnt": {"rn": "data"}})
    assert found(platform, "ty=3&lvl=1") == ([], False)
    assert found(platform, "ty=3&lvl=2") == ([f"cse-in/{PEN}/data"], False)


def test_names_that_begin_alike_are_not_under_each_other(platform: Client) -> None:
    for name in ("pen", "pen-2", "pen0"):
        platform.register(f"C{name}", rn=name)
        platform.ask("POST", f"/cse-in/{name}", f"C{name}", 3, {"m2m:cnt": {"rn": "data"}})
    answer = platform.ask("GET", "/cse-in/pen?fu=1")
    assert answer.body == {"m2m:uril": ["cse-in/pen/data"]}


def test_discovery_shows_what_may_be_retrieved() -> None:
    def made(ri: str, ty: int, pi: str, path: str, owner: str | None, **more: object) -> Resource:
        return Resource(ri, ty, path.rpartition("/")[2], pi, path, owner, "1", "1", None, more)

    pen = made(PEN, 2, "id-in", "cse-in/pen", PEN, nl="n1")
    tree = [
        pen,
        made("c1", 3, PEN, "cse-in/pen/data", PEN),
        made(CUP, 2, "id-in", "cse-in/cup", CUP),
        made("c2", 3, CUP, "cse-in/cup/data", CUP),
        made("n1", 14, "id-in", "cse-in/node", None),
        made("d1", 13, "n1", "cse-in/node/dvi", None),
        made("d2", 3, "d1", "cse-in/node/dvi/deeper", None),
        made("n2", 14, "id-in", "cse-in/other", None),
    ]
    engine = open_engine(MEMORY)
    migrate(engine, "muster_server.platform_server", HEAD)
    with PlatformStore(engine).transaction() as rows:
        for resource in tree:
            rows.add(resource)
        callers = [
            Caller(PEN, False, pen),
            Caller(CUP, False, None),
            Caller("Cnew", False, None),
            Caller("CAdmin", True, None),
        ]
        for caller in callers:
            found = {r.ri for r in rows.under("cse-in", 100, reach=reach(caller))}
            assert found == {r.ri for r in tree if may(caller, Operation.RETRIEVE, r)}
    engine.dispose()


def test_walk_through_all_finds_the_same_in_the_same_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = open_engine(MEMORY)
    migrate(engine, "muster_server.platform_server", HEAD)
    paths = [f"cse-in/a{n}{deeper}" for n in range(4) for deeper in ("", "/data", "/data/c")]
    with PlatformStore(engine).transaction() as rows:
        for n, path in enumerate(reversed(paths)):
            owner = path[7:9]
            labels = ["x"] if n % 2 else []
            ty = (2, 3, 4)[path.count("/") - 1]
            rows.add(Resource(f"r{n}", ty, "n", "p", path, owner, "1", "1", None, {"lbl": labels}))
        for owner in ("a0", "a2", "reader"):
            rows.add_account(owner, "1")
        rows.readers.put("reader", "some")
        rows.readers.add_members("some", ["a0", "a2"])
        of_reader = Reach("reader", None, "some")
        for reach_ in (None, of_reader):
            for wanted in (
                Filter(),
                Filter(offset=3),
                Filter(types=frozenset({3}), offset=1),
                Filter(types=frozenset({2, 4})),
                Filter(labels=frozenset({"x"})),
                Filter(labels=frozenset({"x"}), types=frozenset({2}), is_any_enough=True),
                Filter(levels=2),
            ):
                found = []
                for is_wide in (False, True):
                    monkeypatch.setattr(Rows, "_is_wide", lambda *_, is_wide=is_wide: is_wide)
                    found.append([r.path for r in rows.under("cse-in", 5, wanted, reach=reach_)])
                assert found[0] == found[1] != []
    engine.dispose()


# --- filter criteria


@pytest.fixture
def shelf() -> Iterator[Client]:
    """An AE with two containers; three readings in the first, one of them labelled, in order."""
    with running("sqlite://") as client:
        client.register(PEN, rn="pen")
        for name in ("a", "b"):
            body = {"m2m:cnt": {"rn": name, "lbl": [f"shelf:{name}"], "mni": 9}}
            assert client.ask("POST", f"/{PEN}", PEN, 3, body).status == 201
        for n, con in enumerate(["one", "two", "three"]):
            body = {"m2m:cin": {"rn": f"i{n}", "con": con, "cnf": f"text/plain:{n % 2}"}}
            body["m2m:cin"] |= {"lbl": [f"tag:{n}"]} if n else {}
            assert client.ask("POST", "/cse-in/pen/a", PEN, 4, body).status == 201
            client.clock.now_s += 10
        yield client


def names(client: Client, query: str) -> list[str]:
    answer = client.ask("GET", f"/cse-in/pen?fu=1&{query}", PEN)
    assert answer.status == 200, answer.body
    return [address.rpartition("/")[2] for address in answer.body["m2m:uril"]]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("ty=3", ["a", "b"]),
        ("ty=4", ["i2", "i1", "i0"]),  # the newest first
        ("ty=4&lim=1", ["i2"]),
        ("ty=4&lim=1&ofst=2", ["i1"]),
        ("ty=4&ofst=3", ["i0"]),
        ("ty=4&ofst=9", []),
        ("lbl=tag:1", ["i1"]),
        ("lbl=tag:1+tag:2", ["i2", "i1"]),
        ("lbl=tag:1&lbl=shelf:b", ["b", "i1"]),
        ("ty=3+4&lvl=1", ["a", "b"]),
        ("ty=3&lbl=tag:1", []),
        ("ty=3&lbl=tag:1&fo=2", ["a", "b", "i1"]),
        ("cty=text/plain:1", ["i1"]),
        ("con=t*", ["i2", "i1"]),
        ("con=t*o", ["i1"]),
        ("con=[t]*", []),
        ("rn=i0", ["i0"]),
        ("mni=9&cni=3", ["a"]),
        ("cni=3", ["a"]),
        ("sza=4", ["i2"]),
        ("szb=4", ["i1", "i0"]),
        ("sts=2&ty=4", ["i0"]),
        ("stb=2&ty=4", ["i2"]),
        ("ty=3&arp=i1", ["i1"]),
        ("ty=3&arp=none", []),
        ("exb=20000101T000000", []),
        ("crb=20000101T000000", []),
    ],
)
def test_filter_finds_what_it_says(shelf: Client, query: str, wanted: list[str]) -> None:
    assert names(shelf, query) == wanted


@pytest.mark.parametrize(("before", "after"), [("crb", "cra"), ("us", "ms")])
def test_times_divide_what_is_found(shelf: Client, before: str, after: str) -> None:
    middle = shelf.ask("GET", "/cse-in/pen/a/i1", PEN).body["m2m:cin"]["ct"]
    assert names(shelf, f"ty=4&{before}={middle}") == ["i0"]
    assert names(shelf, f"ty=4&{after}={middle}") == ["i2"]


@pytest.mark.parametrize(
    "query",
    [
        *("crb=yesterday", "sza=-1", "sza=x", "fo=3", "fo=1+2", "ofst=x", "ofst=1+2", "lim=x"),
        *("arp=a//b", "arp=/x", "nothing=1", "pv=1", "lvl=x", "drt=3", "fu=3", "con=" + "x" * 257),
        "&".join(["lbl=a"] * 31) + "&lbl=a+b+c",
    ],
)
def test_filter_that_means_nothing_is_refused(shelf: Client, query: str) -> None:
    answer = shelf.ask("GET", f"/cse-in/pen?{'' if 'fu=' in query else 'fu=1&'}{query}", PEN)
    assert answer.headers["X-M2M-RSC"] == "4000"


def test_rest_is_asked_for_with_the_offset_that_was_told(shelf: Client) -> None:
    seen, offset = [], "1"
    for _ in range(3):
        answer = shelf.ask("GET", f"/cse-in/pen?fu=1&lim=2&ofst={offset}", PEN)
        seen += answer.body["m2m:uril"]
        offset = answer.headers.get("X-M2M-CTO", "")
    assert len(set(seen)) == 5
    assert offset == ""


@pytest.mark.parametrize("rcn", [0, 1, 4, 5, 7, 8, 9, 10, 12])
def test_discovery_answers_with_addresses_or_references(shelf: Client, rcn: int) -> None:
    wrong = shelf.ask("GET", f"/cse-in/pen?fu=1&rcn={rcn}", PEN)
    assert wrong.headers["X-M2M-RSC"] == "4000"
    references = shelf.ask("GET", "/cse-in/pen?fu=1&rcn=6&ty=3&drt=2", PEN).body["m2m:rrl"]["rrf"]
    assert [reference["nm"] for reference in references] == ["a", "b"]
    assert all(reference["val"].startswith("/id-in/cnt") for reference in references)
    assert len(shelf.ask("GET", "/cse-in/pen?fu=1&rcn=11", PEN).body["m2m:uril"]) == 5
    assert shelf.ask("GET", "/cse-in/pen?rcn=11", PEN).headers["X-M2M-RSC"] == "4000"


def test_match_below_what_does_not_match_is_shown_in_the_nearest_above(shelf: Client) -> None:
    shown = shelf.ask("GET", "/cse-in/pen?rcn=4&ty=4", PEN).body["m2m:ae"]
    assert [instance["con"] for instance in shown["m2m:cin"]] == ["one", "two", "three"]
    both = shelf.ask("GET", "/cse-in/pen?rcn=8", PEN).body["m2m:ae"]
    assert len(both["m2m:cnt"][0]["m2m:cin"]) == 3
