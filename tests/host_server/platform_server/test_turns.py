# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does a request say what it is about, so that no more than that waits for it?"""

from typing import Any

import pytest

from muster_server.platform_server import turns
from muster_server.platform_server.addressing import CSE
from muster_server.platform_server.primitives import Content, Operation, Request
from muster_server.store.platform_turns import NotAlone, Turn

_PATHS = {"Cpen": "cse-in/pen", "cnt1": "cse-in/pen/data", "id-in": "cse-in"}


def about(to: str, originator: str = "Cpen", ty: int = 3, **given: Any) -> set[str] | None:
    document = {"m2m:x": given} if given else {}
    request = Request(
        Operation.CREATE, to, originator, "4", Content.ATTRIBUTES, ty, document=document
    )
    found = turns.about(CSE(), request, _PATHS.get)
    return None if found is None else set(found)


@pytest.mark.parametrize(
    "to",
    ["cse-in/pen", "-/pen/data", "/id-in/cse-in/pen/data/la", "Cpen", "cnt1"],
)
def test_request_is_about_its_originator_and_the_root_of_its_address(to: str) -> None:
    assert about(to) == {"Cpen", "pen"}


def test_administrators_requests_do_not_wait_for_each_other() -> None:
    assert about("cse-in/nod-P/fic", "CAdmin") == {"nod-P"}


def test_new_ae_is_about_its_name_and_a_new_node_about_its_aes_besides() -> None:
    assert about("cse-in", "Cpen", 2, rn="kettle") == {"kettle", "Cpen"}
    assert about("cse-in", "Cpen", 2, api="N1") == {"Cpen"}
    assert about("cse-in", "CAdmin", 14, rn="nod-P", hael=["Cpen"]) == {"nod-P", "Cpen"}


@pytest.mark.parametrize(
    ("to", "originator", "ty", "given"),
    [
        ("cse-in", "", 2, {"rn": "x"}),
        ("cse-in", "C", 2, {"rn": "x"}),
        ("cse-in", "CAdmin", 1, {"rn": "policy"}),
        ("cse-in", "CAdmin", 14, {"ni": "without a name"}),
        ("id-in", "Cpen", 23, {"rn": "watch"}),
        ("nothing", "Cpen", 3, {}),
        ("/another/cse-in/x", "Cpen", 3, {}),
        ("cse-in", "CAdmin", 14, {"rn": "n", "hael": [f"C{n}" for n in range(turns.MOST)]}),
    ],
)
def test_nothing_runs_beside_a_request_that_says_too_little(
    to: str, originator: str, ty: int, given: dict[str, Any]
) -> None:
    assert about(to, originator, ty, **given) is None


def test_turn_holds_a_transaction_to_its_word() -> None:
    turn = Turn({"pen"})
    turn.check_path("cse-in/pen/data")
    turn.check_account("pen")
    for path in ("cse-in/cup", "cse-in"):
        with pytest.raises(NotAlone):
            turn.check_path(path)
    with pytest.raises(NotAlone):
        turn.check_account("Cpen")
    with pytest.raises(NotAlone):
        turn.check_alone()
    Turn().check_alone()
