# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Is it noticed that somebody else has a copy of a label, and what becomes of what he got?"""

from typing import Any

import pytest

from muster_server.config_server.label_uses import COPIED
from muster_server.errors import NotRecognised
from muster_server.outcomes import sentence
from tests.host_server.config_server.field import PLATFORM_URL, Device, Field

THIEF = "192.168.4.77"
OTHER_CHIP = "a0b1c2d3e4f5"


def copy_of(device: Device) -> Device:
    """Somebody with a photograph of its label."""
    thief = Device(device.place, device.label)
    thief.address = THIEF
    return thief


def events(device: Device) -> list[str]:
    return [event["code"] for event in device.shown()["events"]]


def test_each_use_of_a_label_is_noted_with_address_and_chip(place: Field) -> None:
    device = place.registered()
    device.sync()
    noted = [m.detail for m in place.history_of(device) if m.what == "reported"]
    assert noted == ["blank, under the label's key, from 127.0.0.1, chip 246f28aabbcc"]


@pytest.mark.parametrize(
    ("address", "changes"),
    [(THIEF, {}), ("127.0.0.1", {"hw": OTHER_CHIP}), (THIEF, {"hw": OTHER_CHIP})],
)
def test_second_hand_out_to_another_address_or_chip_is_told_to_the_owner(
    place: Field, address: str, changes: dict[str, Any]
) -> None:
    device = place.registered()
    device.sync()
    device.sync()
    assert events(device) == []
    thief = copy_of(device)
    thief.address = address
    assert thief.sync(**changes)["config"]["version"] == 1
    assert events(device) == [COPIED]
    (event,) = device.shown()["events"]
    chip = changes.get("hw", "246f28aabbcc")
    first = "from 127.0.0.1, chip 246f28aabbcc"
    assert event["detail"] == f"version 1 went out {first}, and then from {address}, chip {chip}"
    assert event["detail"] in sentence(event["code"], [], "", event["detail"])
    thief.sync(**changes)
    device.sync()
    assert events(device) == [COPIED]  # once for each place


def test_after_the_proof_key_and_token_are_made_anew_and_the_former_end(place: Field) -> None:
    device = place.registered()
    thief = copy_of(device)
    thief.sync()
    device.sync()
    confirmed = device.confirm(1)
    assert (confirmed["action"], confirmed["retry_s"]) == ("keep", 5)  # a trial is let finish
    config = device.sync("1")["config"]
    assert config["version"] == 2
    former = thief.configs[1]
    assert config["config_server"]["key"] != former["config_server"]["key"]
    assert config["platform"]["token"] != former["platform"]["token"]
    device.confirm(2)
    assert device.tokens() == [config["platform"]["token"]]
    with pytest.raises(NotRecognised):
        thief.sync("1")
    assert device.sync("2")["action"] == "keep"


def test_where_there_are_no_tokens_the_originator_is_made_anew(place: Field) -> None:
    place.platforms.url = "http://127.0.0.1:1"
    device = place.registered()
    copy_of(device).sync()
    device.sync()
    device.confirm(1)
    config = device.sync("1")["config"]
    former = device.configs[1]["platform"]
    assert former["token"] is config["platform"]["token"] is None
    assert former["url"] == PLATFORM_URL
    assert config["platform"]["originator"] != former["originator"]


def test_device_that_nobody_has_copied_keeps_its_first_version(place: Field) -> None:
    device = place.registered()
    device.sync()
    device.sync()
    device.confirm(1)
    assert device.sync("1")["action"] == "keep"
    assert events(device) == []


def test_only_so_many_places_are_remembered(place: Field) -> None:
    device = place.registered()
    device.sync()
    for n in range(20):
        thief = copy_of(device)
        thief.address = f"10.0.0.{n}"
        thief.sync()
    assert len(events(device)) == 7
