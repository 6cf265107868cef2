# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Is a network's name shown so that it can be given back?"""

import pytest

from muster_server import ssids
from muster_server.outcomes import sentence

NAMES = [
    b"factory",
    "Büro 1".encode(),
    "\U0001f4a1".encode(),
    b"B\xfcro",
    b"\xff" * 32,
    b"two\nlines",
    b"\x1b[2J",
    b"base64:Zm9v",
    b"base64:",
    b"\\xfc",
    "\u202efactory".encode(),
]


@pytest.mark.parametrize("raw", NAMES)
def test_what_is_shown_stands_for_the_same_bytes(raw: bytes) -> None:
    shown = ssids.shown(raw)
    assert shown.isprintable()
    assert ssids.raw(shown) == raw
    assert ssids.name_of(ssids.accepted({"ssid": shown})) == shown


def test_text_is_shown_as_text() -> None:
    assert ssids.shown("Büro".encode()) == "Büro"
    assert ssids.shown(b"B\xfcro") == "base64:Qvxybw=="


def test_other_fields_and_other_names_stay_as_they_are() -> None:
    assert ssids.accepted({"ssid": "a", "psk": None}) == {"ssid": "a", "psk": None}
    assert ssids.accepted({"ssid": 5}) == {"ssid": 5}
    given = {"ssid": "base64:Zm9v", "psk": "x"}
    assert ssids.accepted(given) == {"ssid_b64": "Zm9v", "psk": "x"}


def test_a_sentence_names_the_network_that_the_device_has_named() -> None:
    networks = ["factory", "base64:Qvxybw=="]
    told = sentence("wifi_no_ap", networks, "", "B\\xfcro: not heard", 8)
    assert "'base64:Qvxybw=='" in told and "factory" not in told


@pytest.mark.parametrize(
    "detail",
    [
        "desk: password refused 6 times, or another network of that name",
        "desk: not heard",
        "desk: status 210, another security",
        "desk gives no address, signal -55 dBm",
        "no network named desk",
    ],
)
def test_a_sentence_names_the_onboarding_network(detail: str) -> None:
    assert "'desk'" in sentence("wifi_auth", ["factory"], "", detail, 4)
