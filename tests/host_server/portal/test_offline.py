# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does the portal promise to who configures a device without a network?"""

import re
from typing import Any

import pytest
import requests

from muster_server.config_server import bundle as form
from muster_server.label import Label, new_label
from tests.host_server.config_server.field import PROFILE
from tests.host_server.portal.api import ADMIN, call, register


@pytest.fixture
def label(url: str) -> Label:
    label = new_label()
    assert register(url, label).status_code == 201
    return label


@pytest.fixture
def device(url: str, label: Label) -> str:
    return f"{url}/v1/devices/{label.device_id}"


def receipt_of(label: Label, text: str, version: int, outcome: str = "ok") -> str:
    return form.receipt(label.key("receipt-key"), version, outcome, form.digest_of(text))


def fetched(device: str, what: str = "", **query: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {ADMIN}"}
    return requests.get(f"{device}/bundle{what}", params=query, headers=headers, timeout=5)


def test_bundle_comes_as_file_and_as_text(device: str, label: Label) -> None:
    made = call("POST", device + "/bundles", {"life_s": 3600})
    assert (made.status_code, made.json()["version"]) == (201, 1)
    file = fetched(device)
    assert file.headers["Content-Type"] == "application/jose"
    name = f'attachment; filename="{label.device_id}.muster"'
    assert file.headers["Content-Disposition"] == name
    text = fetched(device, ".txt")
    assert text.headers["Content-Type"].startswith("text/plain")
    assert text.text == file.text
    assert form.opened(label, text.text).config["version"] == 1


def test_small_bundle_is_one_qr_code_and_a_large_one_is_several(
    url: str,
    device: str,
) -> None:
    call("POST", device + "/bundles", {})
    code = fetched(device, ".svg")
    assert (code.headers["X-Parts"], code.headers["Content-Type"]) == ("1", "image/svg+xml")
    assert code.text.startswith("<?xml")
    large = PROFILE | {"name": "large", "app": {"text": "x" * 3000}}
    call("POST", url + "/v1/profiles", large)
    label = new_label()
    body = {"label": label.qr_text, "profile": "large"}
    assert call("POST", url + "/v1/devices", body).status_code == 201
    other = f"{url}/v1/devices/{label.device_id}"
    call("POST", other + "/bundles", {})
    parts = int(fetched(other, ".svg").headers["X-Parts"])
    assert parts == 3
    last = fetched(other, ".svg", part=parts)
    assert last.headers["X-Parts"] == "3"
    missing = fetched(other, ".svg", part=parts + 1)
    assert missing.status_code == 404
    assert "fills 3 QR codes" in missing.json()["detail"]


def test_receipt_is_accepted_in_a_sentence(device: str, label: Label) -> None:
    call("POST", device + "/bundles", {})
    text = fetched(device, ".txt").text
    typed = receipt_of(label, text, 1).lower()
    answer = call("POST", device + "/receipts", {"receipt": typed})
    assert answer.status_code == 200
    assert answer.json()["verdict"] == "accepted"
    assert answer.json()["sentence"] == "The receipt is accepted: the device runs version 1."
    shown = call("GET", device).json()
    assert (shown["state"], shown["steps"][2]["by"]) == ("applied", "bundle")


def test_failed_application_names_the_network(device: str, label: Label) -> None:
    call("POST", device + "/bundles", {})
    receipt = receipt_of(label, fetched(device, ".txt").text, 1, "wifi_no_ap")
    answer = call("POST", device + "/receipts", {"receipt": receipt}).json()
    assert answer["verdict"] == "failed"
    assert "The network 'factory' was not in reach." in answer["sentence"]


def test_wrong_receipt_is_a_problem_that_names_the_field(device: str) -> None:
    call("POST", device + "/bundles", {})
    answer = call("POST", device + "/receipts", {"receipt": "AAAA AAAA"})
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "receipt_refused")
    assert problem["path"] == "receipt"
    assert "compare the eight characters" in problem["detail"]


def test_bundle_is_checked(url: str, device: str, label: Label) -> None:
    call("POST", device + "/bundles", {})
    text = fetched(device, ".txt").text
    checked = call("POST", url + "/v1/bundles/check", {"bundle": text}).json()
    assert (checked["device_id"], checked["state"]) == (label.device_id, "handed_out")
    refused = call("POST", url + "/v1/bundles/check", {"bundle": text[:-2]})
    assert (refused.status_code, refused.json()["code"]) == (422, "bundle_refused")


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"life_s": 5}, "life_s"),
        ({"life_s": 0}, "life_s"),
        ({"life_s": ""}, "life_s"),
        ({"life_s": "1d"}, "life_s"),
        ({"above": -1}, "above"),
        ([], ""),
    ],
)
def test_wrong_wish_is_named(device: str, body: object, path: str) -> None:
    answer = call("POST", device + "/bundles", body)
    assert (answer.status_code, answer.json()["path"]) == (422, path)


def test_there_is_no_bundle_before_one_was_made(device: str) -> None:
    for what in ("", ".txt", ".svg"):
        answer = fetched(device, what)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_timeline_is_told_in_words(device: str) -> None:
    timeline = call("GET", device + "/timeline").json()
    said = [(entry["source"], entry["said"]) for entry in timeline["entries"]]
    assert said == [
        ("portal", "the device was registered by its label"),
        ("config", "a configuration was prepared"),
    ]
    assert timeline["first_cause"] is None


def test_new_account_is_another_one(device: str) -> None:
    before = call("GET", device).json()["account"]["originator"]
    after = call("POST", device + "/account", {}).json()["account"]["originator"]
    assert re.fullmatch(r"Cmuster[a-z2-7]{20}", after)
    assert after != before
