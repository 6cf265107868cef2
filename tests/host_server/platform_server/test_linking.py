# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does the platform promise about a device's node, its deviceInfo, and its link to the AE?"""

import pytest

from tests.host_server.platform_server.client import Client

PEN = "Cpen0123456789"
CUP = "Ccup0123456789"
NODE = "/cse-in/nod-MST-0001"
DEVICE_INFO = {"mgd": 1007, "dlb": "|sn:1", "man": "Muster", "mod": "EMULATED", "dty": "sensor"}


def _node(platform: Client, rn: str = "nod-MST-0001", **attributes: object) -> int:
    node = {"rn": rn, "ni": "muster:MST-0001"} | attributes
    return platform.ask("POST", "/cse-in", ty=14, document={"m2m:nod": node}).status


def _describe(platform: Client, originator: str = "CAdmin") -> int:
    document = {"m2m:dvi": {"rn": "dvi", **DEVICE_INFO}}
    return platform.ask("POST", NODE, originator, 13, document).status


def _linked(platform: Client, ae_id: str) -> object:
    return platform.ask("GET", f"/{ae_id}").body["m2m:ae"].get("nl")


def test_ae_is_linked_to_the_node_that_was_made_for_it(platform: Client) -> None:
    _node(platform, hael=[PEN])
    linked = platform.register(PEN).body["m2m:ae"]["nl"]
    assert platform.ask("GET", f"/{linked}", PEN).body["m2m:nod"]["hael"] == [PEN]


def test_node_made_after_the_registration_is_linked_too(platform: Client) -> None:
    platform.register(PEN)
    _node(platform, hael=[PEN])
    assert platform.ask("GET", f"/{_linked(platform, PEN)}").body["m2m:nod"]["rn"] == NODE[8:]


def test_device_keeps_its_device_info_up_to_date(platform: Client) -> None:
    _node(platform, hael=[PEN])
    platform.register(PEN)
    assert _describe(platform, PEN) == 201
    update = {"m2m:dvi": {"fwv": "1.29.0"}}
    assert platform.ask("PUT", f"{NODE}/dvi", PEN, None, update).status == 200
    assert platform.ask("GET", f"{NODE}/dvi").body["m2m:dvi"]["fwv"] == "1.29.0"


def test_device_may_not_change_or_delete_the_node_itself(platform: Client) -> None:
    _node(platform, hael=[PEN])
    platform.register(PEN)
    _describe(platform)
    changed = platform.ask("PUT", NODE, PEN, None, {"m2m:nod": {"ni": "other"}})
    deleted = [platform.ask("DELETE", to, PEN) for to in (NODE, f"{NODE}/dvi")]
    assert {a.headers["X-M2M-RSC"] for a in [changed, *deleted]} == {"4103"}


def test_device_cannot_take_another_devices_node(platform: Client) -> None:
    _node(platform, hael=[CUP])
    platform.register(PEN)
    asked = platform.ask("PUT", f"/{PEN}", PEN, None, {"m2m:ae": {"nl": NODE[1:]}})
    assert asked.headers["X-M2M-RSC"] == "4103"
    assert platform.ask("GET", NODE, PEN).headers["X-M2M-RSC"] == "4103"


def test_device_with_a_node_reaches_no_other_devices(platform: Client) -> None:
    _node(platform, hael=[CUP])
    _describe(platform)
    platform.register(CUP)
    _node(platform, rn="own", hael=[PEN])
    platform.register(PEN)
    update = {"m2m:dvi": {"fwv": "6.6.6"}}
    answers = [
        platform.ask("GET", NODE, PEN),
        platform.ask("POST", NODE, PEN, 13, {"m2m:dvi": DEVICE_INFO}),
        platform.ask("GET", f"{NODE}/dvi", PEN),
        platform.ask("PUT", f"{NODE}/dvi", PEN, None, update),
        platform.ask("PUT", f"/{CUP}", PEN, None, {"m2m:ae": {"apn": "x"}}),
    ]
    assert {answer.headers["X-M2M-RSC"] for answer in answers} == {"4103"}


def test_device_does_not_leave_its_node(platform: Client) -> None:
    _node(platform, hael=[PEN])
    platform.register(PEN)
    answer = platform.ask("PUT", f"/{PEN}", PEN, None, {"m2m:ae": {"nl": None}})
    assert answer.headers["X-M2M-RSC"] == "4103"
    assert _linked(platform, PEN) is not None


def test_device_may_name_the_node_that_it_has_anyway(platform: Client) -> None:
    _node(platform, hael=[PEN])
    assert platform.register(PEN, nl="/id-in" + NODE).status == 201


def test_new_owners_originator_takes_the_former_ones_place(platform: Client) -> None:
    _node(platform, hael=[PEN])
    platform.register(PEN)
    platform.ask("PUT", NODE, document={"m2m:nod": {"hael": [CUP]}})
    platform.register(CUP)
    assert _linked(platform, PEN) is None
    assert platform.ask("GET", NODE, PEN).headers["X-M2M-RSC"] == "4103"
    assert platform.ask("GET", NODE, CUP).status == 200


def test_device_that_registers_again_finds_its_node(platform: Client) -> None:
    _node(platform, hael=[PEN])
    platform.register(PEN)
    platform.ask("DELETE", f"/{PEN}", PEN)
    assert "nl" in platform.register(PEN).body["m2m:ae"]


def test_deleted_node_leaves_no_link(platform: Client) -> None:
    _node(platform, hael=[PEN])
    platform.register(PEN)
    assert platform.ask("DELETE", NODE).status == 200
    assert _linked(platform, PEN) is None


def test_ae_has_one_node(platform: Client) -> None:
    _node(platform, hael=[PEN])
    assert _node(platform, rn="second", hael=[PEN]) == 409


def test_administrator_links_and_separates_by_the_ae_as_well(platform: Client) -> None:
    platform.register(PEN)
    _node(platform)
    platform.ask("PUT", f"/{PEN}", document={"m2m:ae": {"nl": NODE[1:]}})
    assert platform.ask("GET", NODE).body["m2m:nod"]["hael"] == [PEN]
    platform.ask("PUT", f"/{PEN}", document={"m2m:ae": {"nl": None}})
    assert "hael" not in platform.ask("GET", NODE).body["m2m:nod"]


def test_only_the_administrator_makes_nodes(platform: Client) -> None:
    platform.register(PEN)
    answer = platform.ask("POST", "/cse-in", PEN, 14, {"m2m:nod": {"ni": "x"}})
    assert answer.headers["X-M2M-RSC"] == "4103"


@pytest.mark.parametrize("missing", ["mgd", "dlb", "man", "mod", "dty"])
def test_device_info_names_the_attribute_that_it_misses(platform: Client, missing: str) -> None:
    _node(platform)
    info = {name: value for name, value in DEVICE_INFO.items() if name != missing}
    answer = platform.ask("POST", NODE, ty=13, document={"m2m:dvi": info})
    assert answer.headers["X-M2M-RSC"] == "4000"
    assert answer.body["m2m:dbg"].startswith(f"{missing}:")
