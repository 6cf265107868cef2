# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does a Wi-Fi password change without a device being lost?"""

from collections.abc import Iterator

import pytest

from muster_server.errors import Conflict, Invalid, NotFound
from tests.host_server.config_server.field import OWNER, PROFILE, Field, open_field

PSK = "the new password"


@pytest.fixture
def place() -> Iterator[Field]:
    with open_field() as opened:
        yield opened


def test_devices_have_both_until_the_old_one_is_retired(place: Field) -> None:
    moved, late = place.registered(), place.registered()
    for device in (moved, late):
        device.onboard()
    place.passwords.begin("press", "factory", PSK, is_draft=False)
    assert place.passwords.shown("press", OWNER)["changing"] == ["factory"]
    config = moved.sync(k="1")["config"]
    assert [n["psk"] for n in config["networks"]] == ["correct horse", PSK]
    moved.confirm(config["version"])
    assert place.passwords.shown("press", OWNER)["behind"] == 1
    with pytest.raises(Conflict, match="1 of your devices"):
        place.passwords.end("press", OWNER, "factory", keeps_new=True, is_confirmed=False)
    late.confirm(late.sync(k="1")["config"]["version"])
    place.passwords.end("press", OWNER, "factory", keeps_new=True, is_confirmed=False)
    assert place.passwords.shown("press", OWNER)["changing"] == []
    assert [n["psk"] for n in late.sync(k="2")["config"]["networks"]] == [PSK]


def test_end_though_some_have_not_moved_is_confirmed(place: Field) -> None:
    device = place.registered()
    device.onboard()
    place.passwords.begin("press", "factory", PSK, is_draft=False)
    place.passwords.end("press", OWNER, "factory", keeps_new=True, is_confirmed=True)
    assert [n["psk"] for n in device.sync(k="1")["config"]["networks"]] == [PSK]


def test_change_is_taken_back_and_nobody_notices(place: Field) -> None:
    device = place.registered()
    device.onboard()
    place.passwords.begin("press", "factory", PSK, is_draft=False)
    place.passwords.end("press", OWNER, "factory", keeps_new=False, is_confirmed=False)
    assert device.sync(k="1")["action"] == "keep"


def test_settings_cannot_be_mixed_up_meanwhile(place: Field) -> None:
    place.passwords.begin("press", "factory", PSK, is_draft=False)
    shown = place.profiles.shown("press")
    for network in shown["networks"]:
        del network["psk_set"]
    with pytest.raises(Invalid, match="two passwords"):
        place.profiles.replace("press", shown)
    with pytest.raises(Conflict):
        place.passwords.begin("press", "factory", PSK, is_draft=False)


def test_what_cannot_be_changed_is_refused(place: Field) -> None:
    with pytest.raises(NotFound):
        place.passwords.begin("press", "nowhere", PSK, is_draft=False)
    with pytest.raises(Invalid):
        place.passwords.begin("press", "factory", "short", is_draft=False)
    place.registered()  # a device that has not got the version in force
    for sure in (True, False):
        with pytest.raises(Conflict, match="is not changing"):
            place.passwords.end("press", OWNER, "factory", keeps_new=True, is_confirmed=sure)
    with pytest.raises(NotFound):
        place.passwords.end("press", OWNER, "nowhere", keeps_new=True, is_confirmed=False)
    four = [{"ssid": f"n{n}", "psk": None} for n in range(4)]
    place.profiles.replace("press", PROFILE | {"networks": four})
    with pytest.raises(Invalid):
        place.passwords.begin("press", "n1", PSK, is_draft=False)


def test_draft_is_rolled_out_in_waves(place: Field) -> None:
    device = place.registered()
    device.onboard()
    number = place.passwords.begin("press", "factory", PSK, is_draft=True)["number"]
    assert device.sync(k="1")["action"] == "keep"
    place.rollouts.begin("press", number, OWNER, [], "ada")
    place.work()
    assert len(device.sync(k="1")["config"]["networks"]) == 2
