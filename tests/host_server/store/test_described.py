# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Are several devices described in one question as each is by itself? On both stores."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from muster_server.store.claims import Claim
from muster_server.store.config import Records
from muster_server.store.described import Described
from muster_server.store.device_changes import RUNS, Change, Told
from muster_server.store.rollouts import Rollout
from tests.host_server.config_server.field import Device, Field, open_field

URL, ELSEWHERE = "http://platform.test", "http://elsewhere.test"


@pytest.fixture
def place(empty_database: Callable[[str], str]) -> Iterator[Field]:
    with open_field(empty_database("config")) as opened:
        yield opened


@pytest.fixture
def devices(place: Field) -> list[Device]:
    devices = [place.registered() for _ in range(3)]
    for device in devices:
        device.onboard()
    return devices


def claims_of(records: Records, devices: list[Device]) -> list[Claim]:
    return [claim for device in devices for claim in records.claims_of(device.id)]


def told(claim: Claim, url: str, of: str) -> Told:
    document: dict[str, Any] = {"objects": {}, "base": {}, "done": {}}
    return Told(url, claim.device_id, of, claim.originator, "nodes", document, 1.0)


def one_by_one(records: Records, claim: Claim) -> Described | None:
    version = records.version(claim.id, claim.version)
    if version is None:
        return None
    before = records.changes.told(URL, claim.device_id)
    return Described(
        claim.id,
        claim.device_id,
        claim.profile,
        claim.facts,
        None if before is None else before.claim_id,
        bool(records.changes.of(claim.id)),
        records.rollouts.number_for(claim.id, claim.profile),
        version,
    )


def test_several_are_described_as_each_is(place: Field, devices: list[Device]) -> None:
    with place.store.transaction() as records:
        one, two, three = claims_of(records, devices)
        records.changes.put_told(told(one, URL, one.id))
        records.changes.put_told(told(two, URL, "of another"))
        records.changes.put_told(told(three, ELSEWHERE, three.id))
        records.changes.put(Change(two.id, "wifi", {"value": {}}, 1.0, RUNS, 1, ""))
        owned = Rollout(
            id="r1",
            owner=one.owner,
            profile=one.profile,
            number=7,
            state="running",
            wave=1,
            waves=[{}],
            is_automatic=False,
            most_failed=10,
            need_percent=50,
            forgiven=0,
            reason="",
            by_whom="ada",
            created_at=1.0,
            changed_at=1.0,
        )
        records.rollouts.put(owned)
        records._sql.run(
            "INSERT INTO rollout_device (rollout_id, claim_id, wave, state, above, seen_at,"
            " device_id) VALUES (?, ?, 1, 'offered', 0, 0, ?)",
            *("r1", one.id, one.device_id),
        )
        described = records.described(URL, [one.id, two.id, three.id, "nobody's"])
        assert described == {each.id: one_by_one(records, each) for each in (one, two, three)}
        assert [described[each.id].told_for for each in (one, two, three)] == [
            *(one.id, "of another", None)
        ]
        assert [described[each.id].is_changed for each in (one, two, three)] == [
            *(False, True, False)
        ]
        assert [described[each.id].number for each in (one, two, three)] == [7, None, None]


def test_who_runs_nothing_or_has_ended_is_not_described(
    place: Field, devices: list[Device]
) -> None:
    with place.store.transaction() as records:
        one, two, three = claims_of(records, devices)
        records.put_claim(replace(one, state="released"))
        records.put_claim(replace(two, version=0))
        found = records.described(URL, [one.id, two.id, three.id])
        assert list(found) == [three.id]
        assert records.described(URL, []) == {}
