# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does the platform promise of the objects of field device configuration (TS-0022)?"""

import json
from typing import Any

import pytest

from tests.host_server.platform_server.behaviour import Answer
from tests.host_server.platform_server.client import ADMIN_TOKEN, Client

PEN, EDITOR = "Cpen0123456789", "Ceditor"
NODE = "/cse-in/nod-P"
PASSWORD = "correct horse battery"
OBJECTS: dict[str, dict[str, Any]] = {
    "m2m:fwr": {"mgd": 1001, "vr": "1.29", "fwn": "MicroPython", "url": "", "ud": False},
    "m2m:swr": {"mgd": 1002, "vr": "0.1", "swn": "muster"},
    "m2m:dvi": {"mgd": 1007, "dlb": "|sn:1", "man": "m", "mod": "m", "dty": "device"},
    "dcfg:reg": {"mgd": 1020, "oid": PEN, "poa": ["https://m2m.example"], "cb": "cse-in"},
    "dcfg:datc": {"mgd": 1021, "cntp": f"cse-in/{PEN}/data", "meil": 60},
    "dcfg:autp": {"mgd": 1022, "suid": 22, "ski": "version 1"},
    "dcfg:wific": {"mgd": 1028, "ssid": "factory", "scan": False, "scanr": ["factory -40"]},
    "dcfg:crds": {"mgd": 1029, "pur": "platform", "crid": "ab12"},
}


@pytest.fixture
def town(platform: Client) -> Client:
    """A device with its node, and somebody whom a policy lets change two of its objects."""
    platform.ask(
        "POST", "/cse-in", ty=14, document={"m2m:nod": {"rn": "nod-P", "ni": "P", "hael": [PEN]}}
    )
    platform.register(PEN)
    platform.account(EDITOR)
    every = {"acr": [{"acor": ["CAdmin"], "acop": 63}]}
    edit = {"acr": [{"acor": [EDITOR], "acop": 38}]}
    platform.ask(
        "POST", "/cse-in", ty=1, document={"m2m:acp": {"rn": "p", "pv": edit, "pvs": every}}
    )
    return platform


def make(town: Client, root: str, who: str = "CAdmin", **more: Any) -> Answer:
    return town.ask("POST", NODE, who, 13, {root: OBJECTS[root] | {"rn": root[-3:]} | more})


def change(town: Client, root: str, who: str = EDITOR, **changes: Any) -> Answer:
    return town.ask("PUT", f"{NODE}/{root[-3:]}", who, None, {root: changes})


def code(answer: Answer) -> str:
    return answer.headers["X-M2M-RSC"]


@pytest.mark.parametrize("root", OBJECTS)
def test_object_is_kept_as_it_is_given(town: Client, root: str) -> None:
    assert code(make(town, root)) == "2001"
    kept = town.ask("GET", f"{NODE}/{root[-3:]}").body[root]
    assert {name: kept[name] for name in OBJECTS[root]} == OBJECTS[root]
    below = town.ask("GET", f"{NODE}?rcn=4").body["m2m:nod"]
    assert [each["rn"] for each in below[root]] == [root[-3:]]


@pytest.mark.parametrize("definition", [1003, 1006, 1023, 1026, 1030, 1035])
def test_object_of_another_definition_is_not_here(town: Client, definition: int) -> None:
    answer = town.ask("POST", NODE, "CAdmin", 13, {"m2m:x": {"mgd": definition}})
    assert code(answer) == "5001"


@pytest.mark.parametrize(
    ("root", "changes"),
    [
        ("dcfg:datc", {"meil": -1}),
        ("dcfg:datc", {"meil": "60"}),
        ("dcfg:datc", {"cntp": None}),
        ("dcfg:datc", {"mgd": 1028}),
        ("dcfg:wific", {"wpap": "x"}),
        ("dcfg:wific", {"wcrds": {"enct": 4}}),
        ("dcfg:wific", {"wcrds": {"enct": 1, "wpap": PASSWORD}}),
        ("dcfg:wific", {"wcrds": PASSWORD}),
        ("dcfg:wific", {"scanr": "factory"}),
    ],
)
def test_nonsense_is_refused_by_its_attribute_and_repeats_no_password(
    town: Client, root: str, changes: dict[str, Any]
) -> None:
    make(town, root, acpi=["cse-in/p"])
    answer = change(town, root, **changes)
    assert code(answer) == "4000"
    assert answer.body["m2m:dbg"].lstrip("'").startswith(next(iter(changes)))
    assert PASSWORD not in json.dumps(answer.body)


def test_device_changes_what_it_is_and_not_what_it_shall_run_on(town: Client) -> None:
    for root in OBJECTS:
        make(town, root)
    told = {root: code(change(town, root, PEN, dc="mine")) for root in OBJECTS}
    assert {root for root, each in told.items() if each == "2004"} == {"m2m:dvi"}
    assert code(town.ask("GET", f"{NODE}/fic", PEN)) == "2000"
    town.ask("DELETE", f"{NODE}/atc")
    assert code(make(town, "dcfg:datc", PEN)) == "4103"


def test_only_whom_the_policy_names_changes_an_object(town: Client) -> None:
    make(town, "dcfg:datc", acpi=["cse-in/p"])
    make(town, "dcfg:crds")
    assert code(change(town, "dcfg:datc", meil=30)) == "2004"
    assert code(change(town, "dcfg:crds", crid="mine")) == "4103"
    town.account("Cstranger")
    assert code(change(town, "dcfg:datc", "Cstranger", meil=10)) == "4103"


@pytest.mark.parametrize("rcn", [0, 1, 9])
def test_password_is_in_no_answer_and_only_the_administrator_gets_it(
    town: Client, rcn: int
) -> None:
    make(town, "dcfg:wific", acpi=["cse-in/p"])
    written = {"dcfg:wific": {"ssid": "office", "wcrds": {"enct": 4, "wpap": PASSWORD}}}
    answers = [town.ask("PUT", f"{NODE}/fic?rcn={rcn}", EDITOR, None, written)]
    answers += [town.ask("GET", f"{NODE}/fic"), town.ask("GET", f"{NODE}?rcn=4")]
    assert code(answers[0]) == "2004"
    assert not any(PASSWORD in json.dumps(answer.body) for answer in answers)
    assert answers[1].body["dcfg:wific"]["ssid"] == "office"

    there = "/handed-on/cse-in/nod-P/fic"
    assert town.http("GET", there, token=town.tokens[EDITOR]).status == 401
    found = town.http("GET", there, token=ADMIN_TOKEN).body
    assert found["value"] == {"enct": 4, "wpap": PASSWORD}
    town.http("DELETE", f"{there}?id={found['id']}", token=ADMIN_TOKEN)
    assert town.http("GET", there, token=ADMIN_TOKEN).body["value"] is None


def test_password_is_refused_where_it_would_be_kept(town: Client) -> None:
    answer = make(town, "dcfg:wific", wcrds={"enct": 4, "wpap": PASSWORD})
    assert code(answer) == "4000"
    assert PASSWORD not in json.dumps(answer.body)


def test_notification_of_the_change_holds_no_password(town: Client) -> None:
    make(town, "dcfg:wific", acpi=["cse-in/p"])
    town.register("Cwatch")
    town.ask("POST", "/Cwatch", "Cwatch", 15, {"m2m:pch": {"rn": "calls"}})
    about = {"rn": "w", "nu": ["Cwatch"], "nct": 2}
    policy = {"pv": {"acr": [{"acor": [EDITOR, "Cwatch"], "acop": 39}]}}
    town.ask("PUT", "/cse-in/p", document={"m2m:acp": policy})
    assert code(town.ask("POST", f"{NODE}/fic", "Cwatch", 23, {"m2m:sub": about})) == "2001"
    change(town, "dcfg:wific", ssid="office", wcrds={"enct": 4, "wpap": PASSWORD})
    poll = town.ask("GET", "/cse-in/Cwatch/calls/pcu", "Cwatch").body
    assert "office" in json.dumps(poll)
    assert PASSWORD not in json.dumps(poll)
