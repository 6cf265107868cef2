# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does a code hand a device over, once, to whoever enters it, and tell both what is left to do?"""

import re

import pytest

from muster_server.label import Label, new_label
from muster_server.portal.throttle import FREE_TRIES
from muster_server.portal.transfers import LIFE_S
from tests.host_server.config_server.field import Device
from tests.host_server.portal.pages.site import Person, Site

WIFI = {"profile": "new", "ssid": "home", "password": "a password of mine"}
HERS = {"profile": "new", "ssid": "flat", "password": "a password of hers"}


@pytest.fixture
def eve(site: Site, ada: Person) -> Person:
    return site.joined("eve", "owner")


@pytest.fixture
def label(site: Site, grace: Person) -> Label:
    """A device of grace's that is at work."""
    label = new_label()
    assert grace.post("/add", label=label.qr_text, name="cellar", **WIFI).is_redirect
    Device(site.field, label).onboard()
    return label


def code_for(person: Person, label: Label) -> str:
    page = person.post(f"/devices/{label.device_id}/transfer-code").text
    found = re.search(r'id="transfer-code">([A-Z2-7-]{19})<', page)
    assert found, page
    assert f"take-over#{found[1]}" in page
    return found[1]


def test_code_hands_it_over_and_both_are_told_what_is_left_to_do(
    grace: Person, eve: Person, label: Label
) -> None:
    page, code = f"/devices/{label.device_id}", code_for(grace, label)
    assert code not in grace.get(page + "/hand-over").text
    assert grace.get(page).status_code == 200  # hers, until it is entered
    taken = eve.post("/take-over", code=f" {code.lower()} ", name="attic", **HERS)
    assert (taken.status_code, taken.headers["Location"]) == (303, page)
    assert grace.get(page).status_code == 404
    hers = eve.get(page).text
    assert "<h1>attic</h1>" in hers and "You took it over" in hers and "flat" in hers
    assert f"{label.device_id} has gone to its next owner." in grace.get("/devices").text
    left = grace.get(page + "/hand-over").text
    assert "change its password" in left and "home" in left
    assert eve.post(page + "/handed-over").status_code == 404
    assert grace.post(page + "/handed-over").is_redirect
    assert grace.get(page + "/hand-over").status_code == 404
    assert "has gone" not in grace.get("/devices").text
    assert "has gone" not in eve.get("/devices").text
    again = eve.post("/take-over", code=code, **HERS)
    assert again.status_code == 401 and "not good" in again.text


def test_note_for_the_next_owner_ends_when_it_is_at_work(
    site: Site, grace: Person, eve: Person, label: Label
) -> None:
    assert eve.post("/take-over", code=code_for(grace, label), **HERS).is_redirect
    Device(site.field, label).onboard()
    page = eve.get(f"/devices/{label.device_id}").text
    assert "at work" in page and "You took it over" not in page


def test_code_ends_is_withdrawn_and_makes_way_for_another(
    site: Site, grace: Person, eve: Person, label: Label
) -> None:
    page, first = f"/devices/{label.device_id}", code_for(grace, label)
    second = code_for(grace, label)
    assert eve.post("/take-over", code=first, **HERS).status_code == 401
    assert grace.post(page + "/withdraw-code").is_redirect
    assert eve.post("/take-over", code=second, **HERS).status_code == 401
    third = code_for(grace, label)
    site.clock.now += LIFE_S + 1
    assert eve.post("/take-over", code=third, **HERS).status_code == 401
    assert "A code is out" not in grace.get(page + "/hand-over").text
    assert grace.get(page).status_code == 200


def test_code_is_as_good_as_before_if_the_rest_is_wrong(
    grace: Person, eve: Person, label: Label
) -> None:
    code = code_for(grace, label)
    for wrong in (
        {"profile": "new", "ssid": ""},
        {"profile": "press"},
        {**HERS, "name": "x" * 65},
    ):
        assert eve.post("/take-over", code=code, **wrong).status_code in (404, 422)
    assert grace.post("/take-over", code=code, **WIFI).status_code == 409  # her own
    assert eve.post("/take-over", code=code, **HERS).is_redirect


def test_codes_are_not_guessed(grace: Person, eve: Person, label: Label) -> None:
    code = code_for(grace, label)
    guesses = [f"{'A' * 15}{letter}" for letter in "ABCDEFG"]
    assert len(guesses) == FREE_TRIES + 2
    statuses = [eve.post("/take-over", code=guess, **HERS).status_code for guess in guesses]
    assert statuses[:FREE_TRIES] == [401] * FREE_TRIES and statuses[-1] == 429
    assert eve.post("/take-over", code=code, **HERS).status_code == 429
    assert grace.get(f"/devices/{label.device_id}").status_code == 200


def test_handing_over_at_once_leaves_no_code(grace: Person, eve: Person, label: Label) -> None:
    code = code_for(grace, label)
    done = grace.post(f"/devices/{label.device_id}/hand-over")
    assert "This is left to do" in done.text
    assert eve.post("/take-over", code=code, **HERS).status_code == 401
