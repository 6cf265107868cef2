# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Is the short way of a first claim the way of every claim, and taken by no other?"""

from typing import Any

import pytest

from muster_server.errors import Conflict, LabelRefused, NotFound, Unavailable
from muster_server.label import Label, new_label
from tests.host_server.config_server.field import OWNER, PROFILE, Device
from tests.host_server.config_server.lane_town import Town

_RESERVED = "SELECT originator FROM reserved_account"
_OWN = ("device_id", "account")


def shown_and_kept(town: Town, device: Device, shown: dict[str, Any]) -> list[Any]:
    """All but what is each device's own, with its history and what it gets."""
    configured = device.sync()["config"]
    for part, own in (("platform", "originator"), ("platform", "token")):
        configured[part].pop(own)
    for key in ("key", "adoption"):
        configured["config_server"].pop(key)
    alike = {name: value for name, value in shown.items() if name not in _OWN}
    return [alike, town.place.history_of(device), configured]


def test_claim_in_the_lane_is_the_same_as_outside_of_it(town: Town) -> None:
    inside, outside = (Device(town.place, new_label()) for _ in range(2))
    (shown,) = town.claimed_by(inside.label.qr_text)
    assert town.place.devices.shown(inside.id, OWNER) == shown
    other = town.place.devices.register(outside.label.qr_text, "press", "", OWNER)
    assert shown_and_kept(town, inside, shown) == shown_and_kept(town, outside, other)


def test_platform_that_is_down_is_asked_once_and_the_claim_says_so(town: Town) -> None:
    town.claimed(1)
    platform = town.place.platform
    platform.is_down, platform.calls = True, 0
    reserved = town.on_disk(_RESERVED)
    (shown,) = town.claimed(1)
    assert platform.calls == 1
    assert (shown["attempt"]["step"], shown["attempt"]["code"]) == (2, "platform_unreachable")
    assert town.on_disk(_RESERVED) == reserved


def test_label_that_the_vendor_does_not_know_is_refused_before_the_platform_is_asked(
    town: Town,
) -> None:
    town.claimed(1)
    label = new_label()
    town.place.devices.register_for_vendor([Label(label.device_id, bytes(20)).qr_text])
    calls = town.place.platform.calls
    (refused,) = town.claimed_by(label.qr_text)
    assert isinstance(refused, LabelRefused)
    assert town.place.platform.calls == calls


def test_device_that_somebody_else_claims_meanwhile_is_theirs(town: Town) -> None:
    label, platform = new_label().qr_text, town.place.platform

    def claimed_meanwhile() -> None:
        platform.meanwhile = lambda: None
        town.place.devices.register(label, "press", "", "rival")

    town.claimed(1)
    platform.meanwhile = claimed_meanwhile
    (refused,) = town.claimed_by(label)
    assert isinstance(refused, Conflict)
    assert town.on_disk("SELECT owner FROM claim") == {OWNER, "rival"}
    # The account that was asked for in vain is the next one's.
    (shown,) = town.claimed(1)
    assert shown["account"]["originator"] in platform.tokens
    assert set(platform.tokens) == town.on_disk("SELECT originator FROM claim")


def test_profile_that_is_removed_meanwhile_makes_no_claim(town: Town) -> None:
    town.place.profiles.add(PROFILE | {"name": "other"})
    town.claimed(1)
    town.place.platform.meanwhile = lambda: town.place.profiles.remove("other")
    (refused,) = town.claimed_by(new_label().qr_text, profile="other")
    assert isinstance(refused, NotFound)
    assert len(town.on_disk("SELECT id FROM claim")) == 1


def test_device_with_a_past_keeps_it(town: Town) -> None:
    device = Device(town.place, new_label())
    town.claimed_by(device.label.qr_text)
    town.place.devices.release(device.id, OWNER)
    town.claimed_by(device.label.qr_text)
    whats = [moment.what for moment in town.place.history_of(device)]
    assert whats[:2] == ["claimed", "prepared"]
    assert whats.count("claimed") == 2


def test_claim_that_the_database_does_not_take_gives_its_account_to_the_next(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.claimed(1)
    platform = town.place.platform

    def full(*about: object) -> None:
        raise Unavailable("the disk is full")

    with monkeypatch.context() as failing:
        failing.setattr("muster_server.store.firsts.FirstRecords.note", full)
        (refused,) = town.claimed(1)
    assert isinstance(refused, Unavailable)
    town.claimed(1)
    assert set(platform.tokens) == town.on_disk("SELECT originator FROM claim")
    assert [len(tokens) for tokens in platform.tokens.values()] == [1, 1]
