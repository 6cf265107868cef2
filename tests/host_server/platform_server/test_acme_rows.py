# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Has each row of ACME's own tests that our platform does not pass a true reason?"""

from pathlib import Path
from typing import Any

import pytest

from tests.host_server.platform_server import acme_rows
from tests.host_server.platform_server.town import CUP, PEN, Town, code

_PAGE = (Path(__file__).resolve().parents[3] / "docs/onem2m.md").read_text()
REASONS, ROWS = acme_rows.read()
_WRITTEN = """\
test_one (testACP.TestACP.test_one)
Create <ACP> ... ok
test_two (testACP.TestACP.test_two) ... FAIL
test_testACPChty (testACP.TestACP.test_testACPChty)
Create resources ... FAIL
"""


def _policy(**more: Any) -> dict[str, Any]:
    rule = {"acor": [PEN], "acop": 63}
    return {"m2m:acp": {"rn": "acp", "pv": {"acr": [rule | more]}, "pvs": {"acr": [rule]}}}


def test_each_reason_is_used_and_each_row_has_one() -> None:
    assert {reason for rows in ROWS.values() for reason in rows.values()} == REASONS.keys()


def test_the_page_names_each_row_of_acp_with_its_reason() -> None:
    for name, why in ROWS["ACP"].items():
        assert f"| `{name.removeprefix('test_')}` | {REASONS[why]} |" in _PAGE.splitlines()
    assert f"| ACP | {60 - len(ROWS['ACP'])} of 60 |" in _PAGE


def test_row_that_fails_without_a_reason_is_told() -> None:
    run = acme_rows.run_of(_WRITTEN)
    assert (run.suite, run.passed) == ("ACP", frozenset({"test_one"}))
    assert acme_rows.unexplained(run, ROWS) == ["test_two"]
    with pytest.raises(ValueError, match="no row"):
        acme_rows.run_of("")


def test_reasons_of_acp_are_true_of_our_platform(town: Town) -> None:
    town.register(CUP)
    made = {
        "custodian": town.ask("POST", f"/{PEN}", PEN, 3, {"m2m:cnt": {"cstn": CUP}}),
        "aca": town.ask("POST", f"/{PEN}", PEN, 1, _policy(aca=["lbl"])),
        "window": town.ask("POST", f"/{PEN}", PEN, 1, _policy(acco=[{"actw": ["* * * * * *"]}])),
        "root": town.ask("POST", "/cse-in", PEN, 1, _policy()),
        "flex": town.ask("POST", f"/{PEN}", PEN, 28, {"cod:tempe": {}}),
    }
    assert {reason: code(answer) for reason, answer in made.items()} == {
        **{"custodian": "4000", "aca": "4000", "window": "4000", "root": "4103", "flex": "5001"}
    }
    assert code(town.ask("POST", f"/{PEN}", PEN, 1, _policy())) == "2001"
    nobody = {"m2m:acp": {"pvs": {"acr": [{"acor": [CUP], "acop": 4}]}}}
    assert code(town.ask("PUT", f"/cse-in/{PEN}/acp", PEN, 0, nobody)) == "2004"
    assert code(town.ask("GET", f"/cse-in/{PEN}/acp", PEN)) == "2000"
    govern = {"m2m:ae": {"acpi": [f"cse-in/{PEN}/acp"]}}
    assert code(town.ask("PUT", f"/{PEN}", PEN, 0, govern)) == "2004"
    assert code(town.ask("PUT", f"/{PEN}", PEN, 0, {"m2m:ae": {"acpi": None}})) == "2004"
