# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Is what a transaction has read remembered rightly, and only what has changed written?"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace

import pytest

from muster_server.store import device_records
from muster_server.store.claims import Claim, Version
from muster_server.store.config import Records
from tests.host_server.config_server.field import Device, Field, open_field


@pytest.fixture
def place(empty_database: Callable[[str], str]) -> Iterator[Field]:
    with open_field(empty_database("config")) as opened:
        yield opened


@pytest.fixture
def device(place: Field) -> Device:
    known = place.registered()
    known.onboard()
    return known


def of(records: Records, device: Device) -> tuple[Claim, Version]:
    (claim,) = records.claims_of(device.id)
    (version,) = records.versions_of(claim.id)
    return claim, version


def changed(claim: Claim, version: Version) -> tuple[Claim, Version]:
    progress = claim.progress | {"9": {"state": "failed"}}
    other = replace(claim, name="press 5", progress=progress, adoption=None, last=None, runs=7)
    return (
        replace(other, window_open=True, window_until=5.0),
        replace(version, handed_to=[["10.0.0.1", "aa"]], proved_at=None, made_from=None),
    )


@pytest.mark.parametrize("is_known", [True, False])
def test_what_is_put_is_found_again(place: Field, device: Device, is_known: bool) -> None:
    with place.store.reading() as records:
        wanted = changed(*of(records, device))
    with place.store.transaction() as records:
        if is_known:
            of(records, device)
        records.put_claim(wanted[0])
        records.put_version(wanted[1])
        assert of(records, device) == wanted
    with place.store.reading() as records:
        assert of(records, device) == wanted


def test_what_has_not_changed_is_not_written(
    place: Field, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    with place.store.transaction() as records:
        claim, version = of(records, device)
        monkeypatch.delattr(records._sql.__class__, "run")  # whoever writes fails
        records.put_claim(replace(claim))
        records.put_version(replace(version))


def test_claim_that_is_put_after_it_was_removed_is_there(place: Field, device: Device) -> None:
    with place.store.transaction() as records:
        claim, version = of(records, device)
        records.remove_claim(claim.id)
        assert records.claim(claim.id) is None
        records.put_claim(claim)
        records.put_version(version)
        assert of(records, device) == (claim, version)


def test_versions_that_are_known_are_those_that_are_there(place: Field, device: Device) -> None:
    with place.store.transaction() as records:
        claim, version = of(records, device)
        newer = replace(version, number=version.number + 1)
        records.put_version(newer)
        assert records.versions_of(claim.id) == [version, newer]
        assert records.version(claim.id, newer.number) == newer
        records.retire_versions_below(claim.id, newer.number)
        assert records.versions_of(claim.id) == [newer]
        assert records.version(claim.id, version.number) is None
    with place.store.reading() as records:
        assert records.versions_of(claim.id) == [newer]


def test_what_was_taken_back_is_not_known_any_more(place: Field, device: Device) -> None:
    with place.store.transaction() as records:
        claim, version = of(records, device)
        with suppress(ZeroDivisionError), records.part():
            records.put_claim(replace(claim, name="press 5"))
            records.put_version(replace(version, proved_at=None))
            raise ZeroDivisionError
        assert of(records, device) == (claim, version)
        records.put_claim(replace(claim, name="press 5"))
    with place.store.reading() as records:
        assert of(records, device)[0].name == "press 5"


def test_document_that_is_another_is_sealed_anew(place: Field, device: Device) -> None:
    with place.store.transaction() as records:
        claim, version = of(records, device)
        other = replace(version, document=version.document | {"country": "AT"})
        records.put_version(other)
        assert of(records, device) == (claim, other)
    with place.store.reading() as records:
        assert of(records, device) == (claim, other)


def test_newest_messages_are_remembered_and_older_ones_forgotten(
    place: Field, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device_records, "_MESSAGES_KEPT", 3)
    with place.store.transaction() as records:
        (claim,) = records.claims_of(device.id)
        digests = [bytes([n]) * 16 for n in range(200)]
        assert all(records.is_first_sight(claim.id, digest) for digest in digests)
        seen = [records.keyholders(device.id, digest)[0][1] for digest in digests]
        assert all(seen[-3:])
        assert not any(seen[:50])
        assert not records.is_first_sight(claim.id, digests[-1])


def test_label_of_another_device_holds_no_key_of_this_one(place: Field, device: Device) -> None:
    other = place.registered()
    with place.store.reading() as records:
        ((mine, _),) = records.keyholders(device.id, b"")
        assert mine.secret == device.label.secret
        ((version, _),) = records.versions_numbered(device.id, 1, b"")
        assert version.claim_id == mine.id
        assert records.versions_numbered(other.id, 1, b"")[0][0] != version
        assert records.versions_numbered(device.id, 2, b"") == []
