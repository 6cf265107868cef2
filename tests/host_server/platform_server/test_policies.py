# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What do access control policies open, to whom, and can anybody be locked out by them?"""

import json
from typing import Any

import pytest

from muster_server.platform_server import policies
from tests.host_server.platform_server.client import ADMIN_TOKEN, Client

PEN, CUP, APP = "Cpen0123456789", "Ccup0123456789", "Capp0123456789"
ALL, SEE = 63, 34


@pytest.fixture
def town(platform: Client) -> Client:
    """A device with a reading in one container and one in a container below it; two others."""
    for originator in (PEN, CUP, APP):
        assert platform.register(originator).status == 201
    create(platform, f"/{PEN}", PEN, 3, "m2m:cnt", rn="data")
    create(platform, f"/cse-in/{PEN}/data", PEN, 3, "m2m:cnt", rn="inner")
    for path in ("data", "data/inner"):
        create(platform, f"/cse-in/{PEN}/{path}", PEN, 4, "m2m:cin", con="21.5")
    return platform


def create(
    platform: Client, to: str, originator: str, ty: int, root: str, **attributes: Any
) -> dict[str, Any]:
    answer = platform.ask("POST", to, originator, ty, {root: attributes})
    assert answer.status == 201, answer.body
    made: dict[str, Any] = answer.body[root]
    return made


def policy(platform: Client, *rules: dict[str, Any], rn: str = "friends", **more: Any) -> str:
    own = more.get("pvs", [{"acor": [PEN], "acop": ALL}])
    rights = {"pv": {"acr": list(rules)}, "pvs": {"acr": own}}
    return str(create(platform, f"/{PEN}", PEN, 1, "m2m:acp", rn=rn, **rights)["ri"])


def rule(*originators: str, acop: int = SEE, **more: Any) -> dict[str, Any]:
    return {"acor": list(originators), "acop": acop, **more}


def govern(platform: Client, to: str, root: str, acpi: Any, originator: str = PEN) -> str:
    answer = platform.ask("PUT", to, originator, None, {root: {"acpi": acpi}})
    return answer.headers["X-M2M-RSC"]


def code(platform: Client, to: str, originator: str = APP) -> str:
    return platform.ask("GET", to, originator).headers["X-M2M-RSC"]


def found(platform: Client, originator: str, query: str = "fu=1") -> list[str]:
    addresses: list[str] = platform.ask("GET", f"/cse-in?{query}", originator).body["m2m:uril"]
    return addresses


def test_policy_on_an_ae_opens_what_is_under_it_to_whom_it_names(town: Client) -> None:
    acp = policy(town, rule(APP))
    assert code(town, f"/cse-in/{PEN}/data/la") == "4103"
    assert govern(town, f"/{PEN}", "m2m:ae", [acp]) == "2004"
    for path in ("", "/data", "/data/la", "/data/inner/la"):
        assert code(town, f"/cse-in/{PEN}{path}") == "2000"
        assert code(town, f"/cse-in/{PEN}{path}", CUP) == "4103"
    assert f"cse-in/{PEN}/data/inner" in found(town, APP)
    assert found(town, CUP) == [f"cse-in/{CUP}"]
    assert code(town, f"/cse-in/{PEN}/friends") == "4103"  # pvs rules that one
    create(town, f"/cse-in/{PEN}/data", PEN, 4, "m2m:cin", con="22")
    assert code(town, f"/cse-in/{PEN}/data/la") == "2000"
    assert govern(town, f"/{PEN}", "m2m:ae", None) == "2004"
    assert code(town, f"/cse-in/{PEN}/data/la") == "4103"
    assert found(town, APP) == [f"cse-in/{APP}"]


def test_nearest_policy_decides(town: Client) -> None:
    open_, shut = policy(town, rule(APP)), policy(town, rule(CUP), rn="others")
    govern(town, f"/cse-in/{PEN}/data/inner", "m2m:cnt", [shut])
    govern(town, f"/{PEN}", "m2m:ae", [open_])
    assert code(town, f"/cse-in/{PEN}/data/la") == "2000"
    assert code(town, f"/cse-in/{PEN}/data/inner/la") == "4103"
    assert code(town, f"/cse-in/{PEN}/data/inner/la", CUP) == "2000"
    govern(town, f"/cse-in/{PEN}/data/inner", "m2m:cnt", None)
    assert code(town, f"/cse-in/{PEN}/data/inner/la") == "2000"
    assert code(town, f"/cse-in/{PEN}/data/inner/la", CUP) == "4103"


@pytest.mark.parametrize("name", [APP, f"/id-in/{APP}", "all", "Capp*", "*", "C*0123456789"])
def test_originators_are_named_in_each_way(town: Client, name: str) -> None:
    govern(town, f"/{PEN}", "m2m:ae", [policy(town, rule(name))])
    assert code(town, f"/cse-in/{PEN}/data/la") == "2000"
    assert f"cse-in/{PEN}/data" in found(town, APP)


@pytest.mark.parametrize("name", ["Capp", "Capp*8", "capp*", "App*", "/other/Capp0123456789"])
def test_originator_that_is_nearly_named_is_not_named(town: Client, name: str) -> None:
    govern(town, f"/{PEN}", "m2m:ae", [policy(town, rule(name))])
    assert code(town, f"/cse-in/{PEN}/data/la") == "4103"
    assert found(town, APP) == [f"cse-in/{APP}"]


@pytest.mark.parametrize(
    ("acop", "allowed"), [(2, {"GET"}), (4, {"PUT"}), (8, {"DELETE"}), (1, {"POST"}), (0, set())]
)
def test_each_operation_has_its_bit(town: Client, acop: int, allowed: set[str]) -> None:
    govern(town, f"/{PEN}", "m2m:ae", [policy(town, rule(APP, acop=acop))])
    path, made = f"/cse-in/{PEN}/data", {"m2m:cin": {"con": "on"}}
    asked = {
        "GET": town.ask("GET", path, APP),
        "PUT": town.ask("PUT", path, APP, None, {"m2m:cnt": {"lbl": ["a"]}}),
        "POST": town.ask("POST", path, APP, 4, made),
        "DELETE": town.ask("DELETE", path, APP),
    }
    assert {method for method, answer in asked.items() if answer.status < 300} == allowed


def test_discovery_and_retrieval_have_bits_of_their_own(town: Client) -> None:
    govern(town, f"/{PEN}", "m2m:ae", [policy(town, rule(APP, acop=32))])
    assert f"cse-in/{PEN}/data" in found(town, APP)
    assert code(town, f"/cse-in/{PEN}/data") == "4103"
    shown = town.ask("GET", "/cse-in?rcn=4", APP).body["m2m:cb"]["m2m:ae"]
    assert [ae["rn"] for ae in shown] == [APP]


def test_rule_may_be_for_some_types_only(town: Client) -> None:
    only = rule(APP, acop=3, acod=[{"chty": [4]}])
    govern(town, f"/{PEN}", "m2m:ae", [policy(town, only)])
    assert town.ask("POST", f"/cse-in/{PEN}/data", APP, 4, {"m2m:cin": {"con": "1"}}).status == 201
    assert town.ask("POST", f"/cse-in/{PEN}/data", APP, 3, {"m2m:cnt": {}}).status == 403


def test_groups_are_meant_with_all_whom_they_hold_and_may_hold_each_other(town: Client) -> None:
    inner = create(town, f"/{PEN}", PEN, 9, "m2m:grp", rn="inner", mnm=5, mid=[APP])
    outer = create(town, f"/{PEN}", PEN, 9, "m2m:grp", rn="outer", mnm=5, mid=[inner["ri"]])
    circle = {"m2m:grp": {"mid": [APP, f"cse-in/{PEN}/outer"]}}
    assert town.ask("PUT", f"/cse-in/{PEN}/inner", PEN, None, circle).status == 200
    govern(town, f"/{PEN}", "m2m:ae", [policy(town, rule(f"cse-in/{PEN}/outer"))])
    assert outer["cnm"] == 1
    assert code(town, f"/cse-in/{PEN}/data/la") == "2000"
    assert f"cse-in/{PEN}/data" in found(town, APP)
    assert code(town, f"/cse-in/{PEN}/data/la", CUP) == "4103"
    town.ask("DELETE", f"/cse-in/{PEN}/inner", PEN)
    assert code(town, f"/cse-in/{PEN}/data/la") == "4103"


def test_group_is_no_larger_than_it_says(town: Client) -> None:
    body = {"m2m:grp": {"mnm": 1, "mid": [APP, CUP]}}
    assert town.ask("POST", f"/{PEN}", PEN, 9, body).headers["X-M2M-RSC"] == "4000"


def test_nobody_locks_out_an_owner_or_the_administrator(town: Client) -> None:
    nobody = policy(town, pvs=[rule("Cnobody", acop=0)])
    for to, root in ((f"/{PEN}", "m2m:ae"), (f"/cse-in/{PEN}/data", "m2m:cnt")):
        assert govern(town, to, root, [nobody]) == "2004"
    create(town, f"/cse-in/{PEN}/data", PEN, 4, "m2m:cin", con="still")
    assert code(town, f"/cse-in/{PEN}/data/la", "CAdmin") == "2000"
    healed = {"m2m:acp": {"pv": {"acr": [rule(APP)]}}}
    assert town.ask("PUT", f"/cse-in/{PEN}/friends", PEN, None, healed).status == 200
    assert code(town, f"/cse-in/{PEN}/data/la") == "2000"
    assert govern(town, f"/{PEN}", "m2m:ae", None, "CAdmin") == "2004"


def test_policy_that_is_gone_opens_nothing_and_shuts_nobody_in(town: Client) -> None:
    govern(town, f"/{PEN}", "m2m:ae", [policy(town, rule(APP))])
    assert town.ask("DELETE", f"/cse-in/{PEN}/friends", PEN).status == 200
    assert code(town, f"/cse-in/{PEN}/data/la") == "4103"
    assert found(town, APP) == [f"cse-in/{APP}"]
    assert code(town, f"/cse-in/{PEN}/data/la", PEN) == "2000"


def test_self_privileges_say_who_may_change_policy_and_governing(town: Client) -> None:
    rules, own = [rule(APP, CUP, acop=ALL)], [rule(PEN, CUP, acop=ALL)]
    acp = policy(town, *rules, pvs=own)
    govern(town, f"/{PEN}", "m2m:ae", [acp])
    assert govern(town, f"/{PEN}", "m2m:ae", [acp], APP) == "4103"
    assert govern(town, f"/{PEN}", "m2m:ae", [acp], CUP) == "2004"
    body = {"m2m:acp": {"lbl": ["x"]}}
    asked = [town.ask("PUT", f"/cse-in/{PEN}/friends", who, None, body) for who in (APP, CUP)]
    assert [answer.status for answer in asked] == [403, 200]


def test_acpi_is_updated_alone_and_names_policies_that_exist(town: Client) -> None:
    acp = policy(town, rule(APP))
    mixed = {"m2m:ae": {"acpi": [acp], "lbl": ["a"]}}
    assert town.ask("PUT", f"/{PEN}", PEN, None, mixed).headers["X-M2M-RSC"] == "4000"
    for wrong in (["nothing"], [f"cse-in/{PEN}"], ["/other/acp"], "text", [1], []):
        assert govern(town, f"/{PEN}", "m2m:ae", wrong) == "4000"


@pytest.mark.parametrize(
    "change",
    [
        {"pvs": {}},
        {"pvs": {"acr": []}},
        {"pvs": None},
        {"pv": {"acr": [rule(acop=1)]}},
        {"pv": {"acr": [rule(APP, acop=64)]}},
        {"pv": {"acr": [rule(APP, acop=-1)]}},
        {"pv": {"acr": [rule(APP, acop=True)]}},
        {"pv": {"acr": [rule(*(f"C{n}" for n in range(33)))]}},
        {"pv": {"acr": [rule(APP)] * 17}},
        {"pv": {"acr": [rule(APP, acco=[{"acip": {"ipv4": ["10.0.0.1"]}}])]}},
        {"pv": {"acr": [rule(APP, aca=["lbl"])]}},
        {"pv": {"acr": [rule(APP, acod=[])]}},
        {"pv": {"acr": [rule(APP, acod=[{"spec": "x"}])]}},
        {"pv": [1]},
        {"pv": {"acr": ["x"]}},
        {"pv": {"acr": [rule("C" * 65)]}},
        {"pv": {"acr": [rule("C a")]}},
        {"pv": {"acr": [rule("Cap[p]?")]}},
    ],
)
def test_policy_that_is_not_understood_is_refused(town: Client, change: dict[str, Any]) -> None:
    good = {"pv": {"acr": [rule(APP)]}, "pvs": {"acr": [rule(PEN)]}}
    given = {name: value for name, value in (good | change).items() if value is not None}
    answer = town.ask("POST", f"/{PEN}", PEN, 1, {"m2m:acp": given})
    assert answer.headers["X-M2M-RSC"] == "4000"
    assert "wanted" in answer.body["m2m:dbg"] or "required" in answer.body["m2m:dbg"]


def test_stranger_makes_no_policy_for_others(town: Client) -> None:
    given = {"pv": {"acr": [rule(CUP)]}, "pvs": {"acr": [rule(CUP)]}}
    for to in (f"/{PEN}", "/cse-in"):
        assert town.ask("POST", to, CUP, 1, {"m2m:acp": given}).headers["X-M2M-RSC"] == "4103"


def test_node_is_opened_by_its_administrator(town: Client) -> None:
    body = {"m2m:nod": {"rn": "nod-1", "ni": "muster:1", "hael": [PEN]}}
    assert town.ask("POST", "/cse-in", ty=14, document=body).status == 201
    info = {"rn": "dvi", "mgd": 1007, "dlb": "a", "man": "a", "mod": "a", "dty": "a"}
    town.ask("POST", "/cse-in/nod-1", ty=13, document={"m2m:dvi": info})
    assert govern(town, "/cse-in/nod-1", "m2m:nod", [policy(town, rule(APP))], "CAdmin") == "2004"
    assert code(town, "/cse-in/nod-1/dvi") == "2000"
    assert code(town, "/cse-in/nod-1/dvi", CUP) == "4103"


# --- accounts of applications


def open_other(platform: Client, originator: str, kind: str, policy: str = "owner:a") -> int:
    to = f"/readers/{originator}?policy={policy}&kind={kind}"
    answer = platform.http("PUT", to, token=ADMIN_TOKEN)
    if answer.status == 201:
        platform.tokens[originator] = answer.body["token"]
    return answer.status


def name_in(platform: Client, policy: str, *originators: str) -> None:
    body = json.dumps({"originators": originators}).encode()
    headers = {"Content-Type": "application/json"}
    path = f"/policies/{policy}/members"
    assert platform.http("POST", path, headers, body, ADMIN_TOKEN).status == 204


def test_application_reads_and_commands_its_owners_devices_and_nobody_elses(town: Client) -> None:
    for device in (PEN, CUP):
        create(town, f"/{device}", device, 3, "m2m:cnt", rn="commands")
    name_in(town, "owner:a", PEN)
    assert open_other(town, "Cdash", "application") == 201
    assert open_other(town, "Cread", "reader") == 201
    assert open_other(town, "Cdash", "reader") == 409
    command = {"m2m:cin": {"con": "{}"}}
    asked = {
        (who, device): town.ask("POST", f"/cse-in/{device}/commands", who, 4, command).status
        for who in ("Cdash", "Cread")
        for device in (PEN, CUP)
    }
    assert {key for key, status in asked.items() if status == 201} == {("Cdash", PEN)}
    assert code(town, f"/cse-in/{PEN}/data/la", "Cdash") == "2000"
    assert code(town, f"/cse-in/{CUP}/commands", "Cdash") == "4103"
    assert town.ask("POST", f"/cse-in/{PEN}/data", "Cdash", 4, command).status == 403
    assert town.ask("DELETE", f"/cse-in/{PEN}/data", "Cdash").status == 403
    entity = {"m2m:ae": {"api": "N1", "rr": False, "srv": ["4"], "rn": "Cdash"}}
    assert town.ask("POST", "/cse-in", "Cdash", 2, entity).status == 201
    assert town.ask("POST", "/Cdash", "Cdash", 3, {"m2m:cnt": {"rn": "own"}}).status == 201


def test_to_a_reader_policies_open_nothing_but_reading(town: Client) -> None:
    open_other(town, "Cread", "reader", "owner:nobody")
    govern(town, f"/{PEN}", "m2m:ae", [policy(town, rule("Cread", acop=ALL))])
    assert code(town, f"/cse-in/{PEN}/data/la", "Cread") == "2000"
    assert f"cse-in/{PEN}/data" in found(town, "Cread")
    assert town.ask("DELETE", f"/cse-in/{PEN}/data", "Cread").headers["X-M2M-RSC"] == "4103"
    assert govern(town, f"/{PEN}", "m2m:ae", None, "Cread") == "4103"


def test_pattern_is_matched_piece_by_piece() -> None:
    cases = {"a*": "abc", "*c": "abc", "a*c": "abc", "*": "", "a*b*c": "a1b2c", "a*b*": "ab"}
    assert all(policies._matches(pattern, name) for pattern, name in cases.items())
    others = {"a*": "ba", "a*a": "a", "a*b*c": "acb", "ab*ba": "aba", "*b*b": "ab"}
    assert not any(policies._matches(pattern, name) for pattern, name in others.items())
