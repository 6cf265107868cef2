# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The bench's label rules are the portal's: both are held by the golden labels."""

import json
from pathlib import Path
from typing import Any

import pytest

from muster_harness.deploy.labels import Label, new_label, parse_label
from muster_harness.errors import LabelRefused
from tests.wire.labels import groups_of, printed

CASES = json.loads((Path(__file__).parents[2] / "wire" / "labels.json").read_text())["cases"]
VALID = [case for case in CASES if case["valid"]]
INVALID = [case for case in CASES if not case["valid"]]


def name(case: dict[str, Any]) -> str:
    return str(case["name"])


@pytest.mark.parametrize("case", VALID, ids=name)
def test_golden_labels_are_made_and_read_alike(case: dict[str, Any]) -> None:
    label = Label(case["device_id"], bytes.fromhex(case["secret_hex"]))
    assert label.text == case["label"]
    assert label.setup_passphrase == case["setup_passphrase"]
    assert {p: label.key(p).hex() for p in case["keys"]} == case["keys"]
    assert parse_label(case.get("typed", case["label"])) == label


@pytest.mark.parametrize("case", INVALID, ids=name)
def test_golden_spoilt_labels_are_refused_at_the_part_at_fault(case: dict[str, Any]) -> None:
    with pytest.raises(LabelRefused) as refused:
        parse_label(case["label"])
    assert refused.value.path == case["path"]
    groups = groups_of(printed("PRESS-4", bytes(range(20)))[-36:])
    assert [group for group in groups if group in str(refused.value)] == []


def test_a_label_may_be_typed_in_groups_or_scanned_from_a_link() -> None:
    label = new_label("PRESS-4")
    assert parse_label(f"muster:1:press-4:{label.grouped.lower()}\n") == label
    assert parse_label(f"https://portal.example/add#{label.text}") == label


def test_new_labels_differ_and_hide_their_secret() -> None:
    assert new_label() != new_label()
    label = new_label("A")
    assert label.text[-36:] not in repr(label)
    assert repr(label.secret) not in repr(label)
    with pytest.raises(LabelRefused, match="device id"):
        new_label("a b")
