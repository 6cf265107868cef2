# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Can somebody who registers an id again and again keep its owner out, or put him out?"""

from typing import Any

import pytest

from muster_server.config_server.device_view import Wanted
from muster_server.errors import Conflict, NotFound, NotRecognised
from muster_server.label import new_label
from muster_server.store.claims import CLAIM_LIFE_S
from tests.host_server.config_server.field import OWNER, Device, Field

ID = "PRESS-4"


def claimed(place: Field, owner: str, device: Device | None = None) -> Device:
    """Register a label of this id, by itself a new one, a second after the last."""
    place.clock.pass_s(1)
    device = device or Device(place, new_label(ID))
    place.devices.register(device.label.qr_text, "press", "", owner)
    return device


def shown(place: Field, owner: str) -> dict[str, Any]:
    return place.devices.shown(ID, owner)


def squatted(place: Field, *, answers: bool, carries: bool = False) -> None:
    """A rival registers labels of this id until he is refused, or has done so twelve times."""
    for _ in range(12):
        try:
            rival = claimed(place, "rival")
        except Conflict:
            return  # he answers to all that he has: that is for him to settle
        if answers:
            rival.sync()
        if carries:
            place.bundles.make(ID, "rival")
            place.bundles.hand_out(ID, "rival")
        place.presence.end_expired()


@pytest.mark.parametrize("answers", [False, True], ids=["silent", "answering"])
@pytest.mark.parametrize("carries", [False, True], ids=["idle", "carrying"])
def test_rivals_do_not_put_an_owner_out(place: Field, answers: bool, carries: bool) -> None:
    owned = claimed(place, OWNER)
    squatted(place, answers=answers, carries=carries)
    assert shown(place, OWNER)["claim"] == "unproved"
    owned.onboard()
    assert shown(place, OWNER)["claim"] == "proved"


@pytest.mark.parametrize("answers", [False, True], ids=["silent", "answering"])
@pytest.mark.parametrize("carries", [False, True], ids=["idle", "carrying"])
def test_rivals_do_not_keep_an_owner_out(place: Field, answers: bool, carries: bool) -> None:
    squatted(place, answers=answers, carries=carries)
    owned = claimed(place, OWNER)
    squatted(place, answers=answers, carries=carries)
    owned.onboard()
    assert shown(place, OWNER)["claim"] == "proved"


def displaced(place: Field) -> Device:
    """A claim of an owner who came when four others had one each."""
    for name in ("a", "b", "c"):
        claimed(place, name)
    last = claimed(place, OWNER)
    claimed(place, "d")
    return last


def test_whoever_had_to_make_room_is_told(place: Field) -> None:
    last = displaced(place)
    seen = shown(place, OWNER)
    assert (seen["claim"], seen["state"]) == ("displaced", "displaced")
    assert seen["events"][0]["code"] == "claim_displaced"
    (entry,) = place.devices.views.page(OWNER, Wanted())["devices"]
    assert entry["claim"] == "displaced"
    with pytest.raises(NotRecognised):
        last.sync()
    place.jobs.run_due()
    assert seen["account"]["originator"] not in place.platform.tokens
    with place.store.transaction() as records:
        (kept,) = [claim for claim in records.claims_of(ID) if claim.state == "displaced"]
        assert kept.secret == b""


def test_what_is_left_of_a_claim_does_nothing(place: Field) -> None:
    displaced(place)
    for deed in (place.devices.open_window, place.devices.new_account, place.bundles.make):
        with pytest.raises(Conflict, match="register the label again"):
            deed(ID, OWNER)
    place.presence.look(ID, OWNER)
    assert place.timelines.joined(ID, OWNER)


def test_registering_again_brings_it_back(place: Field) -> None:
    last = displaced(place)
    claimed(place, OWNER, last)
    assert shown(place, OWNER)["claim"] == "unproved"
    last.onboard()
    assert shown(place, OWNER)["claim"] == "proved"
    with place.store.transaction() as records:
        states = [c.state for c in records.claims_of(ID) if c.owner == OWNER]
    assert states == ["proved"]


def test_what_is_left_ends_by_itself_or_by_its_owner(place: Field) -> None:
    displaced(place)
    place.devices.release(ID, OWNER)
    with pytest.raises(NotFound):
        shown(place, OWNER)
    claimed(place, OWNER)
    claimed(place, "e")
    place.clock.pass_s(CLAIM_LIFE_S + 2)
    place.presence.end_expired()
    with pytest.raises(NotFound):
        shown(place, OWNER)


def test_news_of_a_displaced_claim_outlives_the_proof_of_another(place: Field) -> None:
    displaced(place)
    owned = claimed(place, "a")  # his second: the first of the label that is on the device
    owned.onboard()
    assert shown(place, "a")["claim"] == "proved"
    assert shown(place, OWNER)["claim"] == "displaced"


def test_whoever_holds_all_of_an_id_is_asked_about_it(place: Field) -> None:
    for _ in range(4):
        claimed(place, OWNER).sync()
    with pytest.raises(Conflict, match="4 different secrets"):
        claimed(place, OWNER)


def test_profile_of_a_displaced_claim_can_be_removed(place: Field) -> None:
    displaced(place)
    with place.store.transaction() as records:
        assert len(records.profiles.users_of("press")) == 1  # one id, by the claims that live
        for claim in records.claims_of(ID):
            if claim.state != "displaced":
                records.remove_claim(claim.id)
        assert records.profiles.users_of("press") == []
