# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The bench tells without opening it whether a device will open a bundle; the golden bundles hold
that together with the device."""

import json
from pathlib import Path
from typing import Any

import pytest

from muster_harness.deploy.bundle_file import check_bundle, device_of
from muster_harness.deploy.labels import Label, new_label
from muster_harness.errors import BundleRefused

CASES = json.loads((Path(__file__).parents[2] / "wire" / "bundles.json").read_text())["cases"]
# What else is wrong with one is inside, which the bench does not open.
OUTSIDE = ("header", "kid", "tag")
GOOD = [case for case in CASES if case["valid"]]
BAD = [case for case in CASES if not case["valid"] and case["path"] in OUTSIDE]
INSIDE = [case for case in CASES if not case["valid"] and case["path"] not in ("bundle", *OUTSIDE)]
TORN = [case for case in CASES if not case["valid"] and case["path"] == "bundle"]
NOT_SEEN = ("padding-", "content-")


def check(case: dict[str, Any]) -> None:
    text = "".join(case["bundle"].split())
    check_bundle(text, Label(case["device_id"], bytes.fromhex(case["secret_hex"])))


@pytest.mark.parametrize("case", GOOD + INSIDE, ids=lambda case: case["name"])
def test_what_the_device_opens_is_good(case: dict[str, Any]) -> None:
    check(case)


@pytest.mark.parametrize("case", BAD, ids=lambda case: case["name"])
def test_what_the_device_cannot_open_is_refused_with_its_code(case: dict[str, Any]) -> None:
    with pytest.raises(BundleRefused) as refused:
        check(case)
    assert refused.value.code == case["code"]


@pytest.mark.parametrize(
    "case",
    [
        case
        for case in TORN
        if not case["name"].startswith(NOT_SEEN) and case["name"] != "longer-than-allowed"
    ],
    ids=lambda case: case["name"],
)
def test_what_is_not_whole_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(BundleRefused, match="config_invalid"):
        check(case)


def test_a_new_label_of_the_same_id_does_not_open_it() -> None:
    [bundle, *_] = [case["bundle"] for case in GOOD]
    with pytest.raises(BundleRefused, match="not sealed with this label of PRESS-4"):
        check_bundle(bundle, new_label(device_of(bundle)))
