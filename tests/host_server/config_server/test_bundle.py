# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What do bundles and receipts promise?"""

import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from jwcrypto import jwe, jwk

from muster_server.config_server import bundle
from muster_server.errors import BundleRefused, ReceiptRefused
from muster_server.label import Label, new_label
from tests.host_server.golden import cases

# What a device alone can judge: who it is, its clock, and its highest version.
_FOR_THE_DEVICE = {
    "kid",
    "exp",
    "config.version",
    "config.networks[0].ssid",
    "config.networks",
    "config",
}


def label_of(case: dict[str, Any]) -> Label:
    return Label(case["device_id"], bytes.fromhex(case["secret_hex"]))


def opened(case: dict[str, Any]) -> bundle.Content:
    text = bundle.stripped(case["bundle"])
    bundle.device_of(text)
    return bundle.opened(label_of(case), text)


@cases("bundles", is_valid=True)
def test_golden_bundle_is_opened(case: dict[str, Any]) -> None:
    document = json.loads(case["plaintext"])
    content = opened(case)
    assert (content.time, content.exp) == (document["time"], document["exp"])
    assert content.config == document["config"]


@cases("bundles", is_valid=False, but=lambda case: case["path"] in _FOR_THE_DEVICE)
def test_bad_golden_bundle_is_refused(case: dict[str, Any]) -> None:
    with pytest.raises(BundleRefused):
        opened(case)


@cases("receipts", is_valid=True)
def test_golden_receipt_is_made(case: dict[str, Any]) -> None:
    digest = bundle.digest_of(case["bundle"])
    made = bundle.receipt(
        label_of(case).key("receipt-key"), case["version"], case["outcome"], digest
    )
    assert made == case["receipt"]


@cases("receipts", is_valid=False)
def test_golden_receipt_of_something_else_differs(case: dict[str, Any]) -> None:
    digest = bundle.digest_of(case["bundle"])
    made = bundle.receipt(
        label_of(case).key("receipt-key"), case["version"], case["outcome"], digest
    )
    assert made != case["receipt"]


def test_another_implementation_opens_what_we_seal() -> None:
    label = new_label("PRESS-4")
    text = bundle.sealed(label, 1795400000, None, {"v": 1, "version": 7})
    token = jwe.JWE()
    raw_key = urlsafe_b64encode(label.key("bundle-key")).rstrip(b"=").decode()
    token.deserialize(text, key=jwk.JWK(kty="oct", k=raw_key))
    assert json.loads(token.payload)["config"] == {"v": 1, "version": 7}
    header = {"alg": "dir", "enc": "A128CBC-HS256", "kid": "PRESS-4"}
    assert json.loads(token.objects["protected"]) == header


def test_the_same_content_is_never_sealed_alike() -> None:
    label = new_label()
    assert bundle.sealed(label, 1, None, {}) != bundle.sealed(label, 1, None, {})


def test_secrets_do_not_show_in_the_repr() -> None:
    label = new_label()
    content = bundle.opened(label, bundle.sealed(label, 10**9, None, {"psk": "correct horse"}))
    assert "correct horse" not in repr(content)


@pytest.mark.parametrize("typed", ["mtfj abyu", "MTFJ-ABYU", " mtfjabyu\n"])
def test_receipt_may_be_typed_as_people_type(typed: str) -> None:
    assert bundle.typed_receipt(typed) == "MTFJABYU"


@pytest.mark.parametrize(
    ("typed", "hint"),
    [("MTFJABY1", "character 8 .* is it I or L"), ("MTFJ", "8 characters, and 4"), ("", "and 0")],
)
def test_what_cannot_be_a_receipt_is_said_so(typed: str, hint: str) -> None:
    with pytest.raises(ReceiptRefused, match=hint):
        bundle.typed_receipt(typed)


@pytest.mark.parametrize(
    "changes", [{"alg": "none"}, {"alg": "A256KW"}, {"enc": "A256GCM"}, {"zip": "DEF"}]
)
def test_header_that_says_how_to_open_it_is_refused_by_name(changes: dict[str, str]) -> None:
    text = bundle.sealed(new_label("PRESS-4"), 1795400000, None, {"v": 1})
    header = {"alg": "dir", "enc": "A128CBC-HS256", "kid": "PRESS-4"} | changes
    first = urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
    with pytest.raises(BundleRefused) as caught:
        bundle.device_of(".".join([first, *text.split(".")[1:]]))
    assert caught.value.path == "header"
