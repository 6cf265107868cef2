# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does a device that has been adopted need its version's key, or a window, to be directed?"""

import json
from base64 import b64decode
from dataclasses import replace

import pytest

from muster_server.config_server.directions import SOON_S
from muster_server.errors import Malformed, NotRecognised
from muster_server.label import Label
from tests.host_server.config_server.field import OWNER, Device, Field
from tests.wire.syncs import BLANK


@pytest.fixture
def device(place: Field) -> Device:
    device = place.registered()
    device.onboard()
    return device


def adoption(config: dict[str, dict[str, str]]) -> str:
    return config["config_server"]["adoption"]


def forget_adoption(place: Field, device: Device) -> None:
    """Make the claim and its versions what they were before there was adoption."""
    with place.store.transaction() as records:
        (claim,) = records.claims_of(device.id)
        records.put_claim(replace(claim, adoption=None))
        for version in records.versions_of(claim.id):
            document = json.loads(json.dumps(version.document))
            del document["config_server"]["adoption"]
            records.put_version(replace(version, document=document))
            device.configs[version.number] = document


def test_adoption_secret_is_the_same_in_all_versions_of_an_ownership(
    place: Field, device: Device
) -> None:
    place.set_password("battery staple")
    device.confirm(device.sync("1")["config"]["version"])
    first, second = device.configs[1], device.configs[2]
    assert adoption(first) == adoption(second)
    assert len(b64decode(adoption(first))) == 32
    place.devices.release(device.id, OWNER)
    place.registered(device.label)
    device.committed = 0
    assert adoption(device.sync()["config"]) != adoption(first)


def test_two_devices_have_two_adoption_secrets(place: Field, device: Device) -> None:
    other = place.registered()
    other.onboard()
    assert adoption(other.configs[1]) != adoption(device.configs[1])


def test_adopted_device_that_is_well_is_told_to_keep_what_it_has(
    place: Field, device: Device
) -> None:
    directive = device.sync("adopted")
    assert (directive["action"], directive["retry_s"]) == ("keep", 3600)
    assert device.shown()["events"] == []


def test_adopted_device_gets_what_its_owner_has_changed_without_a_window(
    place: Field, device: Device
) -> None:
    place.set_password("battery staple")
    assert device.shown()["window"]["open"] is False
    assert device.sync("adopted")["config"]["version"] == 2
    device.confirm(2)
    assert device.shown()["version"] == 2


def test_adopted_device_proves_itself_before_it_is_given_anything_new(
    place: Field, device: Device
) -> None:
    place.set_password("battery staple")
    directive = device.sync("adopted", echo="of an older answer")
    assert (directive["action"], directive["retry_s"]) == ("wait", SOON_S)
    assert device.sync("adopted")["action"] == "configure"


def test_adopted_device_gets_a_new_version_if_its_owner_has_opened_the_window(
    place: Field, device: Device
) -> None:
    place.devices.open_window(device.id, OWNER)
    assert device.sync("adopted")["config"]["version"] == 2


def test_adopted_device_proves_a_version_whose_confirming_sync_was_lost(place: Field) -> None:
    device = place.registered()
    device.sync()
    device.committed = 1
    device.sync("adopted")
    shown = device.shown()
    assert (shown["version"], shown["state"], shown["window"]["open"]) == (1, "registered", False)


def test_adopted_device_proves_nothing_without_the_newest_nonce(place: Field) -> None:
    device = place.registered()
    device.sync()
    device.committed = 1
    device.sync("adopted", echo=None)
    assert device.shown()["version"] == 0


def test_adopted_device_with_a_version_that_this_server_has_lost_gets_a_newer_one(
    place: Field, device: Device
) -> None:
    directive = device.sync("adopted", config=7)
    assert (directive["action"], directive["config"]["version"]) == ("configure", 8)


def test_version_that_was_only_prepared_here_is_not_what_the_device_runs(
    place: Field, device: Device
) -> None:
    place.set_password("battery staple")
    place.devices.register(device.label.qr_text, "press", "press 4", OWNER)  # prepares version 2
    place.devices.close_window(device.id, OWNER)
    directive = device.sync("adopted", config=2)  # another one, of a server that is gone
    assert (directive["action"], directive["config"]["version"]) == ("configure", 3)
    assert device.shown()["version"] == 1


def test_adopted_device_that_was_released_is_told_to_forget(place: Field, device: Device) -> None:
    place.devices.release(device.id, OWNER)
    assert device.sync("adopted")["action"] == "forget"


def test_label_alone_does_not_pass_for_an_adopted_device(place: Field, device: Device) -> None:
    for key in (device.label.adopted_key(b""), device.label.key("sync-psk")):
        noise = Stranger(place, device.label, key)
        with pytest.raises(NotRecognised):
            noise.ask("adopted")
    with pytest.raises(NotRecognised):
        Stranger(place, device.label, device.key("adopted")).ask("label")


class Stranger(Device):
    """Somebody with a key that is not the one for its name."""

    def __init__(self, place: Field, label: Label, key: bytes) -> None:
        super().__init__(place, label)
        self._key = key

    def key(self, k: str) -> bytes:
        return self._key

    def ask(self, k: str) -> None:
        message = self.sealed(k, BLANK)[1]
        self.place.sync.answer(self.id, k, message, "127.0.0.1")


def test_only_these_names_of_keys_are_read(place: Field, device: Device) -> None:
    for k in ("", "adopt", "adopted2", "ADOPTED", "labeladopted", "0", "07"):
        with pytest.raises(Malformed):
            place.sync.answer(device.id, k, bytes(48), "127.0.0.1")


# devices that were at work before there was adoption


def test_device_that_is_older_than_adoption_is_left_alone_until_its_next_version(
    place: Field, device: Device
) -> None:
    forget_adoption(place, device)
    assert device.sync("1")["action"] == "keep"
    place.set_password("battery staple")
    config = device.sync("1")["config"]
    assert len(b64decode(adoption(config))) == 32
    device.confirm(2)
    assert device.sync("adopted")["action"] == "keep"


def test_prepared_version_that_is_older_than_adoption_is_made_anew(place: Field) -> None:
    device = place.registered()
    forget_adoption(place, device)
    config = device.sync()["config"]
    assert (config["version"], len(b64decode(adoption(config)))) == (2, 32)


def test_adoption_secret_is_sealed_at_rest(place: Field, device: Device) -> None:
    secret = b64decode(adoption(device.configs[1]))
    with place.engine.connect() as connection:
        row = connection.exec_driver_sql("SELECT * FROM claim").mappings().one()
    assert row["adoption"] is not None
    assert not any(secret in value for value in row.values() if isinstance(value, bytes))
    assert secret.hex() not in repr(place.store) + repr(device.shown())
