# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The fate of a device's account: another one, and the end of one at a renamed platform."""

import logging

import pytest

from muster_server.config_server.platform_adapter import AllowListPlatform, PlatformChoice
from tests.host_server.config_server.field import OWNER, PLATFORM_URL, PROFILE, Field


def test_new_account_comes_with_the_next_configuration(place: Field) -> None:
    device = place.registered()
    device.onboard()
    former = device.configs[1]["platform"]
    shown = place.devices.new_account(device.id, OWNER)
    assert shown["account"]["originator"] != former["originator"]
    place.jobs.run_due()
    assert former["originator"] in place.platform.tokens  # until the new one is proved
    version = device.sync("1")["config"]["version"]
    platform = device.configs[version]["platform"]
    assert platform["originator"] == shown["account"]["originator"]
    assert platform["token"] != former["token"]
    device.confirm(version)
    place.jobs.run_due()
    assert set(place.platform.tokens) == {platform["originator"]}


def test_new_account_after_a_conflict_ends_the_trouble(place: Field) -> None:
    device = place.registered()
    first = device.sync()["config"]
    last = {"config": 1, "step": 9, "code": "platform_conflict", "detail": ""}
    device.sync(last=last)
    place.devices.new_account(device.id, OWNER)
    second = device.sync(last=last)["config"]
    assert second["version"] > first["version"]
    assert second["platform"]["originator"] != first["platform"]["originator"]
    device.confirm(second["version"])
    place.jobs.run_due()
    assert set(place.platform.tokens) == {second["platform"]["originator"]}
    assert "account_replaced" in [e["code"] for e in device.shown()["events"]]


def test_release_closes_every_account_that_the_device_had(place: Field) -> None:
    device = place.registered()
    device.onboard()
    place.devices.new_account(device.id, OWNER)
    device.sync("1")
    assert len(place.platform.tokens) == 2
    place.devices.release(device.id, OWNER)
    place.jobs.run_due()
    assert place.platform.tokens == {}


def test_tokens_of_a_platform_that_was_renamed_are_revoked_where_it_is_now(place: Field) -> None:
    device = place.registered()
    device.onboard()
    place.platforms.url = "http://renamed.example:8422"
    platform = PROFILE["platform"] | {"url": place.platforms.url}
    place.profiles.replace("press", PROFILE | {"platform": platform})
    version = device.sync("1")["config"]["version"]
    place.platform.tokens["Ckept"] = {}
    device.confirm(version)
    place.jobs.run_due()
    old, new = device.configs[1]["platform"], device.configs[version]["platform"]
    kept = place.platform.tokens[new["originator"]].values()
    assert old["token"] not in kept
    assert new["token"] in kept


def test_account_with_a_token_is_kept_where_the_platform_is_now() -> None:
    choice = PlatformChoice(PLATFORM_URL, PLATFORM_URL, "t" * 32)
    own = choice.adapter_for(PLATFORM_URL)
    assert choice.keeper_of(PLATFORM_URL, has_token=True) is own
    assert choice.keeper_of("http://former", has_token=True) is own
    assert isinstance(choice.keeper_of("http://acme", has_token=False), AllowListPlatform)


def test_end_of_an_account_under_a_former_url_is_warned_of(
    place: Field, caplog: pytest.LogCaptureFixture
) -> None:
    device = place.registered()
    device.onboard()
    place.platforms.url = "http://renamed.example:8422"
    place.devices.release(device.id, OWNER)
    place.jobs.run_due()
    (warned,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert PLATFORM_URL in warned.getMessage()
    assert place.platform.tokens == {}
