# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does the conformance table of docs/onem2m.md tell the truth, of our platform and of ACME CSE?

Each row has a probe, which is asked of both; a cell that begins with "yes" is one that it finds.
Mobius4 is not at hand: its column is not held.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cbor2
import pytest

from muster_server.platform_server.addressing import CSE
from muster_server.platform_server.app import create_app
from muster_server.platform_visit import CREATED, OK, Place, Visit
from muster_server.service_client import Fetched, fetch
from muster_server.store.engine import database_url, open_engine
from muster_server.store.migrations import migrate
from muster_server.store.platform import HEAD, PlatformStore
from muster_server.tokens import new_token, token_hash
from tests.host_server.serving import served
from tests.system.acme import ADMINISTRATOR, Acme

ROOT = Path(__file__).resolve().parents[2]
_ROW = re.compile(r"^\| ([^|]+) \| (TS-[^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]*) ?\|$", re.MULTILINE)
PROVIDER = "acme.example.com"  # ACME's own; ours is called so for the comparison


class Town:
    """A platform with a device that has published, and an administrator."""

    def __init__(self, visit: Visit) -> None:
        self.visit = visit
        self.admin = ADMINISTRATOR
        visit.open_accounts()
        for who in (visit.mine, visit.other):
            about: dict[str, Any] = {"api": "Nx", "rr": False, "srv": ["4"]}
            assert visit.make("cse-in", who, who, 2, "m2m:ae", **about).rsc == CREATED
        self.data = f"cse-in/{visit.mine}/data"
        assert self.make(visit.mine, 3, "m2m:cnt", rn="data") == CREATED
        for con in ("one", "two"):
            assert self.make(self.data, 4, "m2m:cin", con=con) == CREATED

    def make(self, parent: str, ty: int, root: str, who: str = "", **about: Any) -> int:
        body = {root: about}
        return self.visit.ask("POST", parent, who or self.visit.mine, ty, body).rsc

    def get(self, path: str, who: str = "") -> Any:
        return self.visit.ask("GET", path, who or self.visit.mine)

    def policy(self, name: str, *names: str, acop: int = 34) -> str:
        rules: dict[str, Any] = {"acr": [{"acor": [self.visit.mine], "acop": 63}]}
        rules["acr"].append({"acor": list(names), "acop": acop})
        own: dict[str, Any] = {"acr": [{"acor": [self.visit.mine], "acop": 63}]}
        about: dict[str, Any] = {"rn": name, "pv": rules, "pvs": own}
        assert self.make(self.visit.mine, 1, "m2m:acp", **about) == CREATED
        return f"cse-in/{self.visit.mine}/{name}"

    def govern(self, path: str, root: str, policy: str | None) -> None:
        body = {root: {"acpi": None if policy is None else [policy]}}
        assert self.visit.ask("PUT", path, self.visit.mine, None, body).rsc == 2004


def _resources(town: Town) -> bool:
    return "con" in town.get(f"{town.data}/la").resource


def _nodes(town: Town) -> bool:
    made = town.make("cse-in", 14, "m2m:nod", town.admin, rn="nod-x", ni="muster:x")
    about: dict[str, Any] = {"mgd": 1007, "dlb": "|sn:1", "man": "m", "mod": "m", "dty": "device"}
    info = town.make("cse-in/nod-x", 13, "m2m:dvi", town.admin, **about)
    town.visit.ask("DELETE", "cse-in/nod-x", town.admin)
    return (made, info) == (CREATED, CREATED)


def _policies(town: Town) -> bool:
    before = town.get(f"{town.data}/la", town.visit.other).rsc
    town.govern(town.data, "m2m:cnt", town.policy("p1", town.visit.other))
    after = town.get(f"{town.data}/la", town.visit.other).rsc
    town.govern(town.data, "m2m:cnt", None)
    return (before, after) == (4103, OK)


def _inheritance(town: Town) -> bool:
    town.govern(town.visit.mine, "m2m:ae", town.policy("p2", town.visit.other))
    after = town.get(f"{town.data}/la", town.visit.other).rsc
    town.govern(town.visit.mine, "m2m:ae", None)
    return bool(after == OK)


def _groups(town: Town) -> bool:
    about: dict[str, Any] = {"rn": "crew", "mnm": 2, "mid": [town.visit.other], "mt": 0}
    if town.make("cse-in", 9, "m2m:grp", town.admin, **about) != CREATED:
        return False
    group = town.get("cse-in/crew", town.admin).resource["ri"]
    town.govern(town.data, "m2m:cnt", town.policy("p3", group))
    after = town.get(f"{town.data}/la", town.visit.other).rsc
    town.govern(town.data, "m2m:cnt", None)
    town.visit.ask("DELETE", "cse-in/crew", town.admin)
    return bool(after == OK)


def _discovery(town: Town) -> bool:
    found = town.get(f"{town.data}?fu=1&ty=4&con=t*&fo=1").document.get("m2m:uril")
    return isinstance(found, list) and len(found) == 1


def _absolute(town: Town) -> bool:
    return bool(town.get(f"_/{PROVIDER}/id-in/{town.data}").rsc == OK)


def _times(town: Town) -> bool:
    return bool(town.get(f"{town.data}?wrong=1").rsc == 4000) and _late(town) == 4008


def _late(town: Town) -> int:
    headers = _fetched(town, town.data, {"X-M2M-RET": "-1000"}).headers
    return int({k.lower(): v for k, v in headers.items()}["x-m2m-rsc"])


def _fetched(town: Town, path: str, more: dict[str, str]) -> Fetched:
    visit = town.visit
    headers = {"X-M2M-Origin": visit.mine, "X-M2M-RI": "one", "X-M2M-RVI": "4", **more}
    return fetch(
        f"{visit.place.url}/{path}",
        visit._tokens.get(visit.mine),
        headers=headers,
        ca_file=None,
        timeout_s=5,
        most_bytes=4096,
    )


def _cbor(town: Town) -> bool:
    answer = _fetched(town, f"{town.data}/la", {"Accept": "application/cbor"})
    kind = {k.lower(): v for k, v in answer.headers.items()}["content-type"]
    return "cbor" in kind and cbor2.loads(answer.content)["m2m:cin"]["con"] == "two"


def _going(town: Town) -> bool:
    town.make(town.data, 4, "m2m:cin", rn="once", con="three", dcnt=1)
    once = [town.get(f"{town.data}/once").rsc for _ in range(2)]
    town.make(town.visit.mine, 3, "m2m:cnt", rn="closed", disr=True)
    town.make(f"cse-in/{town.visit.mine}/closed", 4, "m2m:cin", con="four")
    closed = town.get(f"cse-in/{town.visit.mine}/closed/la").rsc
    return (once, closed) == ([OK, 4004], 4005)


def _not_blocking(town: Town) -> bool:
    return bool(town.get(f"{town.data}?rt=1").rsc == 1001)


def _objects(town: Town) -> bool:
    town.make("cse-in", 14, "m2m:nod", town.admin, rn="nod-y", ni="muster:y")
    about = {"mgd": 1006, "btl": 23, "bts": 5}
    made = town.make("cse-in/nod-y", 13, "m2m:bat", town.admin, **about)
    town.visit.ask("DELETE", "cse-in/nod-y", town.admin)
    return made == CREATED


def _kept(town: Town, objects: dict[str, dict[str, Any]]) -> bool:
    town.make("cse-in", 14, "m2m:nod", town.admin, rn="nod-z", ni="muster:z")
    made = [town.make("cse-in/nod-z", 13, r, town.admin, **about) for r, about in objects.items()]
    town.visit.ask("DELETE", "cse-in/nod-z", town.admin)
    return all(code == CREATED for code in made)


def _ware(town: Town) -> bool:
    firmware = {"mgd": 1001, "vr": "1", "fwn": "f", "url": "http://x.example", "ud": False}
    return _kept(
        town,
        {
            "m2m:fwr": firmware,
            "m2m:swr": {"mgd": 1002, "vr": "1", "swn": "s", "url": "http://x.example"},
        },
    )


def _field_configuration(town: Town) -> bool:
    wifi = {"mgd": 1028, "ssid": "factory", "scan": False}
    collection = {"mgd": 1021, "cntp": "cse-in/x/data", "meil": 60}
    credentials = {"mgd": 1029, "pur": "platform", "crid": "1"}
    objects = {"dcfg:wific": wifi, "dcfg:datc": collection, "dcfg:crds": credentials}
    return _kept(town, objects)


def _registration(town: Town) -> bool:
    registration = {"mgd": 1020, "poa": ["https://m2m.example"], "cb": "cse-in"}
    return _kept(town, {"dcfg:reg": registration, "dcfg:autp": {"mgd": 1022, "suid": 22}})


def _subscriptions(town: Town) -> bool:
    town.make(town.visit.mine, 15, "m2m:pch", rn="calls")
    about: dict[str, Any] = {"rn": "watch", "nu": [town.visit.mine], "enc": {"net": [3]}}
    made = town.make(town.data, 23, "m2m:sub", **about)
    town.visit.ask("DELETE", f"{town.data}/watch", town.visit.mine)
    return made == CREATED


def _verification(town: Town) -> bool:
    made = town.make(town.data, 23, "m2m:sub", rn="v", nu=["http://127.0.0.1:9/"])
    return made == 5204


def _channels(town: Town) -> bool:
    town.make(town.visit.mine, 15, "m2m:pch", rn="calls")
    return bool(town.get(f"cse-in/{town.visit.mine}/calls").rsc == OK)


PROBES: dict[str, Callable[[Town], bool]] = {
    "AE, container, content instance": _resources,
    "node, deviceInfo": _nodes,
    "access control policies": _policies,
    "`acpi` is inherited": _inheritance,
    "groups in policies": _groups,
    "discovery with filter criteria": _discovery,
    "absolute addresses": _absolute,
    "request and execution times": _times,
    "non-blocking requests": _not_blocking,
    "CBOR": _cbor,
    "`disr`, `dcnt`, `dgt`": _going,
    "subscriptions": _subscriptions,
    "verification of targets": _verification,
    "polling channels": _channels,
    "firmware, software": _ware,
    "dataCollection, wificlient, credentials": _field_configuration,
    "registration, authenticationProfile": _registration,
    "other management objects": _objects,
}
TABLE = {row[0]: row for row in _ROW.findall((ROOT / "docs/onem2m.md").read_text())}


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    engine = open_engine(database_url(tmp_path_factory.mktemp("platform"), "platform"))
    migrate(engine, "muster_server.platform_server", HEAD)
    token = new_token()
    app = create_app(
        PlatformStore(engine),
        lambda: frozenset({token_hash(token)}),
        cse=CSE(provider=PROVIDER),
    )
    with served(app) as url:
        yield Town(Visit(Place(url, admin=ADMINISTRATOR, token=token)))
    engine.dispose()


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    cse = Acme(tmp_path_factory.mktemp("acme"), "127.0.0.1", [])
    cse.start()
    try:
        cse.wait_ready()
        yield Town(Visit(Place(cse.url, admin=ADMINISTRATOR)))
    finally:
        cse.stop()


def test_each_row_of_the_table_has_its_probe() -> None:
    assert set(TABLE) == set(PROBES)


@pytest.mark.parametrize("feature", PROBES)
def test_row_is_true_of_our_platform(ours: Town, feature: str) -> None:
    assert PROBES[feature](ours) is TABLE[feature][2].startswith("yes"), TABLE[feature][2]


@pytest.mark.parametrize("feature", PROBES)
def test_row_is_true_of_acme(acme: Town, feature: str) -> None:
    assert PROBES[feature](acme) is TABLE[feature][3].startswith("yes"), TABLE[feature][3]
