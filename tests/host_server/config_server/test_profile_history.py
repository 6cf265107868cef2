# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does each change of a profile leave a version, whose secrets nobody reads?"""

from collections.abc import Iterator

import pytest

from muster_server.config_server.profile_history import HIDDEN
from muster_server.document import compact_json
from muster_server.errors import NotFound
from tests.host_server.config_server.field import OWNER, PROFILE, Field, open_field

OTHER = "o-0000000001"


@pytest.fixture
def place() -> Iterator[Field]:
    with open_field() as opened:
        yield opened


def test_each_change_is_a_version_and_a_former_one_comes_back(place: Field) -> None:
    device = place.registered()
    device.onboard()
    place.set_password("another password")
    place.set_password("another password")  # no change
    place.profiles.replace("press", PROFILE | {"app": {"every_s": 5}})
    listed = place.history.listed("press", OWNER)
    assert [v["number"] for v in listed["versions"]] == [3, 2, 1]
    assert (listed["current"], listed["devices"], listed["behind"]) == (3, 1, 1)
    assert device.sync(k="1")["action"] == "configure"
    place.history.use("press", 1)
    assert place.history.listed("press", OWNER)["behind"] == 0
    assert device.sync(k="1")["action"] == "keep"
    assert place.history.listed("press", OTHER)["devices"] == 0


def test_version_that_changes_nothing_for_devices_says_so(place: Field) -> None:
    device = place.registered()
    device.onboard()
    place.profiles.replace("press", PROFILE | {"reonboarding": "always"})
    listed = place.history.listed("press", OWNER)
    assert (listed["versions"][0]["same_as"], listed["behind"]) == (1, 0)


def test_difference_names_fields_and_of_secrets_that_they_differ(place: Field) -> None:
    networks = [{"ssid": "factory", "psk": "another password"}, {"ssid": "guest", "psk": None}]
    place.profiles.replace("press", PROFILE | {"networks": networks, "app": {"every_s": 5}})
    found = place.history.difference("press", 1, 2)
    changes = {change["path"]: change for change in found["changes"]}
    assert changes["networks[0].psk"]["is_hidden"]
    assert changes["networks[1].ssid"]["after"] == "guest"
    assert changes["app.every_s"]["after"] == 5
    assert "another" not in compact_json(found) and "correct" not in compact_json(found)
    assert place.history.difference("press", 2, 2)["changes"] == []


def test_preview_is_what_the_device_would_get_without_its_secrets(place: Field) -> None:
    device = place.registered()
    number = place.history.draft("press", PROFILE | {"app": {"key": "of the app"}})["number"]
    made = place.history.preview("press", number, device.id, OWNER)["config"]
    assert made["networks"][0] == {
        **{"ssid": "factory", "psk": HIDDEN, "hidden": False, "ip": "dhcp"}
    }
    assert made["platform"]["token"] == HIDDEN and made["device"]["name"] == "press 4"
    assert made["config_server"]["key"] == made["config_server"]["adoption"] == HIDDEN
    assert made["app"] == {"key": "of the app"}
    assert "correct horse" not in compact_json(made)
    for name, version, owner in (("press", number, OTHER), ("press", 9, OWNER), ("x", 1, OWNER)):
        with pytest.raises(NotFound):
            place.history.preview(name, version, device.id, owner)


def test_draft_is_in_force_for_nobody(place: Field) -> None:
    device = place.registered()
    device.onboard()
    place.history.draft("press", PROFILE | {"app": {"every_s": 5}})
    assert device.sync(k="1")["action"] == "keep"
    assert place.history.listed("press", OWNER)["current"] == 1


def test_what_an_older_release_made_is_known_after_its_next_contact(place: Field) -> None:
    device = place.registered()
    device.onboard()
    with place.store.transaction() as records:
        records.profiles._sql.run("UPDATE version SET made_from = NULL")
        records.profiles._sql.run("UPDATE claim SET runs = NULL")
    assert place.history.listed("press", OWNER)["behind"] == 1
    device.sync(k="1")
    assert place.history.listed("press", OWNER)["behind"] == 0


def test_a_device_that_got_other_settings_has_proved_none_of_them(place: Field) -> None:
    other = PROFILE | {"name": "other"}
    place.profiles.add(other)
    place.profiles.replace("other", other | {"app": {"every_s": 5}})
    device = place.registered()
    device.onboard()
    place.devices.change(device.id, OWNER, "other", None)
    assert place.history.listed("press", OWNER)["devices"] == 0
    assert place.history.listed("other", OWNER)["behind"] == 1
    device.confirm(device.sync(k="1")["config"]["version"])
    listed = place.history.listed("other", OWNER)
    assert (listed["behind"], listed["versions"][0]["devices"]) == (0, 1)
    place.devices.change(device.id, OWNER, "press", None)
    assert place.history.listed("press", OWNER)["behind"] == 1  # though it once ran a version 1


def test_versions_end_with_the_profile(place: Field) -> None:
    place.set_password("another password")
    place.profiles.remove("press")
    place.profiles.add(PROFILE)
    assert [v["number"] for v in place.history.listed("press", OWNER)["versions"]] == [1]
