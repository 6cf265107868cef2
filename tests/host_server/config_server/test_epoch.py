# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does a restored backup believe what was recorded since it was made?"""

from typing import Any

from muster_server.config_server.sync import SyncService
from tests.host_server.config_server.field import Device, Field, Rows, all_rows, put_back


def restored(place: Field, backup: Rows) -> None:
    """The backup takes the database's place, and the server starts on it."""
    put_back(place.engine, backup)
    restarted(place)


def restarted(place: Field) -> None:
    place.sync = SyncService(place.store, place.versions, place.clock, place.clock)


def of_claim(place: Field, device: Device) -> Any:
    with place.store.transaction() as records:
        (claim,) = records.claims_of(device.id)
        return claim


def replayed(place: Field, device: Device, k: str, message: bytes) -> None:
    place.sync.answer(device.id, k, message, "192.0.2.66")


def test_recorded_message_proves_nothing_after_a_restoration(place: Field) -> None:
    device = place.registered()
    version = device.sync()["config"]["version"]
    backup = all_rows(place.engine)
    device.confirm(version)
    assert of_claim(place, device).state == "proved"
    recorded = device.last_message
    restored(place, backup)
    replayed(place, device, str(version), recorded)
    claim = of_claim(place, device)
    assert (claim.state, claim.version, claim.window_open) == ("unproved", 0, True)


def test_recorded_message_ends_no_keys_after_a_restoration(place: Field) -> None:
    device = place.registered()
    first = device.onboard()
    place.set_password("another horse")
    second = device.sync(str(first))["config"]["version"]
    backup = all_rows(place.engine)
    device.confirm(second)
    recorded = device.last_message
    restored(place, backup)
    replayed(place, device, str(second), recorded)
    claim = of_claim(place, device)
    assert claim.version == first
    with place.store.transaction() as records:
        assert [v.number for v in records.versions_of(claim.id)] == [first, second]


def test_the_device_itself_proves_it_with_its_next_but_one_contact(place: Field) -> None:
    device = place.registered()
    version = device.sync()["config"]["version"]
    restored(place, all_rows(place.engine))
    first = device.confirm(version)  # echoes what the server told before it
    assert (first["action"], first["retry_s"]) == ("keep", 5)
    assert of_claim(place, device).state == "unproved"
    second = device.sync(str(version))
    assert (second["action"], second["retry_s"]) == ("keep", 3600)
    assert of_claim(place, device).version == version


def test_device_at_work_is_not_called_back_after_a_start(place: Field) -> None:
    device = place.registered()
    version = device.onboard()
    restarted(place)
    assert device.sync(str(version))["retry_s"] == 3600
    assert device.shown()["state"] == "registered"


def test_nonce_in_the_database_is_no_use_to_who_reads_it(place: Field) -> None:
    device = place.registered()
    device.sync()
    assert of_claim(place, device).nonce != device.echo
    assert len(device.echo or "") == 16
    device.echo = of_claim(place, device).nonce
    device.sync()
    assert of_claim(place, device).state == "unproved"
    assert device.shown()["claim"] == "unproved"
