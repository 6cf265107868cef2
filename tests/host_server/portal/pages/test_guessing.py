# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does guessing get nobody in: labels, receipts, invitations; and is what was invited used once,
in time, and for what it was made?"""

import re
import threading

import pytest
import requests

from muster_server.errors import TooManyRequests, Unauthorized
from muster_server.label import Label, new_label
from muster_server.portal.people import INVITATION_S
from muster_server.portal.throttle import FREE_TRIES
from muster_server.store.people import PeopleStore
from muster_server.store.second_factors import Passkey
from tests.host_server.config_server.field import Device
from tests.host_server.portal.api import call
from tests.host_server.portal.pages.site import ADMIN_TOKEN, BOX, PASSWORD, Person, Site
from tests.host_server.portal.pages.test_attacks import WIFI, added, token_of

# Of a page, what is typed into it.
ALIKE = re.compile(r'value="[^"]*"|<textarea.*?</textarea>', re.DOTALL)


def join(site: Site, code: str, name: str, **more: str) -> requests.Response:
    return Person(site.url).post("/join", code=code, name=name, password=PASSWORD, **more)


# Labels


def test_label_of_a_device_that_its_vendor_registered_is_not_guessed(
    site: Site, ada: Person, grace: Person
) -> None:
    true = new_label()
    labels = {"labels": [true.qr_text]}
    assert call("POST", site.url + "/v1/vendor/devices", labels, ADMIN_TOKEN).status_code == 200
    near = bytes([true.secret[0] ^ 1, *true.secret[1:]])
    guesses = [near, bytes(20), true.secret[:19] + b"\0"]
    said = set()
    for secret in guesses:
        guess = Label(true.device_id, secret)
        refused = grace.post("/add", label=guess.qr_text, **WIFI)
        assert refused.status_code == 422
        assert true.qr_text[-36:] not in refused.text
        said.add(ALIKE.sub("", refused.text))
        body = {"label": guess.qr_text, "profile": "press"}
        answer = call("POST", site.url + "/v1/devices", body, ADMIN_TOKEN)
        assert (answer.status_code, answer.json()["code"]) == (422, "label_refused")
        assert true.qr_text[-36:] not in answer.text
    assert len(said) == 1  # how near it was is not told
    with site.field.store.reading() as records:
        assert records.claims_of(true.device_id) == []
    assert grace.post("/add", label=true.qr_text, **WIFI).is_redirect


def test_guessed_label_of_somebodys_device_opens_nothing_of_it(
    site: Site, ada: Person, grace: Person
) -> None:
    eve = site.joined("eve", "owner")
    device_id = added(grace)
    with site.field.store.reading() as records:
        (hers,) = records.claims_of(device_id)
    device = Device(site.field, Label(device_id, hers.secret))
    device.onboard()
    for _ in range(3):
        guess = Label(device_id, new_label().secret)
        assert eve.post("/add", label=guess.qr_text, **WIFI).status_code == 409
    assert eve.get(f"/devices/{device_id}").status_code == 404
    assert "at work" in grace.get(f"/devices/{device_id}").text


# Passwords


def test_stranger_who_fails_in_a_name_keeps_nobody_out_where_they_are_signed_in(
    site: Site, ada: Person
) -> None:
    home, elsewhere = "192.0.2.7", "203.0.113.9"
    assert site.people.sign_in("ada", PASSWORD, home).session
    for n in range(FREE_TRIES):
        with pytest.raises(Unauthorized):
            site.people.sign_in("ada", "a guess of a stranger", f"198.51.100.{n}")
    with pytest.raises(TooManyRequests):  # the right one, too, where nobody knows her
        site.people.sign_in("ada", PASSWORD, elsewhere)
    assert site.people.sign_in("ada", PASSWORD, home).session
    with site.people.store.transaction() as records:
        user = records.user_named("ada")
    assert user is not None
    site.people.confirm_user(user, PASSWORD, elsewhere, "password")


def test_who_is_where_somebody_is_signed_in_has_no_more_guesses(site: Site, ada: Person) -> None:
    home = "192.0.2.7"
    site.people.sign_in("ada", PASSWORD, home)
    for _ in range(FREE_TRIES):
        with pytest.raises(Unauthorized):
            site.people.sign_in("ada", "a guess of a neighbour", home)
    with pytest.raises(TooManyRequests):
        site.people.sign_in("ada", PASSWORD, home)


# Receipts


def test_receipts_are_not_guessed_by_page_and_api_together(
    site: Site, ada: Person, grace: Person
) -> None:
    device_id = added(grace)
    page, token = f"/devices/{device_id}", token_of(grace, "change")
    assert grace.post(page + "/by-hand").is_redirect
    statuses = []
    for n in range(12):
        receipt = f"AAAA AAA{'ABCDEFGHIJKL'[n]}"
        if n % 2:
            where = f"{site.url}/v1/devices/{device_id}/receipts"
            statuses.append(call("POST", where, {"receipt": receipt}, token).status_code)
        else:
            statuses.append(grace.post(page + "/receipt", receipt=receipt).status_code)
    assert set(statuses[:10]) == {422}
    assert set(statuses[10:]) == {429}


# Invitations


def test_first_link_and_invitations_end_in_time(site: Site) -> None:
    first = site.people.first_invitation()
    assert first is not None
    site.clock.now += INVITATION_S + 1
    refused = join(site, first, "ada")
    assert refused.status_code == 401 and "not good any more" in refused.text
    ada = site.joined("ada", "administrator")  # the next start prints another link
    code = site.invited("owner")
    site.clock.now += INVITATION_S + 1
    assert join(site, code, "grace").status_code == 401
    ada.post("/sign-in", name="ada", password=PASSWORD)
    assert ada.get("/account").status_code == 200


def test_first_link_is_nothing_once_there_is_an_administrator(site: Site) -> None:
    first = site.people.first_invitation() or ""
    assert join(site, first, "ada").is_redirect
    assert site.people.first_invitation() is None  # of a later start
    assert join(site, first, "eve").status_code == 401


def test_invitation_is_used_once_though_two_come_at_the_same_moment(
    site: Site, ada: Person
) -> None:
    code, statuses = site.invited("administrator"), []
    people = [Person(site.url) for _ in range(4)]
    tokens = [person.form_token() for person in people]
    together = threading.Barrier(len(people), timeout=20)

    def come(n: int) -> None:
        together.wait()
        fields = {"code": code, "name": f"person {n}", "password": PASSWORD}
        statuses.append(people[n].post("/join", form_token=tokens[n], **fields).status_code)

    threads = [threading.Thread(target=come, args=(n,)) for n in range(len(people))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(statuses)[0] == 303 and set(sorted(statuses)[1:]) <= {401, 429}
    assert len(re.findall(r"person \d", ada.get("/people").text)) >= 1
    with PeopleStore(site.engine, BOX).transaction() as records:
        assert records.count() == 2


def test_invitation_for_another_makes_nobody_more_than_it_says(
    site: Site, ada: Person, grace: Person
) -> None:
    """Though more is sent with it; and a guest sees the devices of their host, and no others."""
    hers = added(grace)
    guest = Person(site.url)
    code = site.invited("viewer", by="grace")
    more = {"role": "administrator", "owner": "admin", "right": "people", "user": "ada"}
    assert guest.post("/join", code=code, name="vera", password=PASSWORD, **more).is_redirect
    assert hers in guest.get("/devices").text
    assert guest.get("/people/invite").status_code in (303, 404, 405)
    assert guest.post("/people/invite", role="viewer").status_code == 403
    assert guest.get("/settings").status_code == 403
    assert guest.post(f"/devices/{hers}/name", name="mine").status_code == 403
    # A name that is taken is not taken over by an invitation.
    taken = join(site, site.invited("administrator"), "GRACE")
    assert taken.status_code == 409 and "Set-Cookie" not in taken.headers
    assert Person(site.url).post("/sign-in", name="grace", password=PASSWORD).is_redirect


def test_invitations_are_not_guessed_and_those_withdrawn_are_nothing(
    site: Site, ada: Person
) -> None:
    code = site.invited("owner")
    withdrawn = re.findall(r'name="invitation" value="(\w+)"', ada.get("/people").text)
    assert withdrawn
    assert ada.post("/people/withdraw", invitation=withdrawn[0]).is_redirect
    assert join(site, code, "grace").status_code == 401
    statuses = [join(site, f"guess-{n}", "grace").status_code for n in range(FREE_TRIES + 1)]
    assert statuses[: FREE_TRIES - 1] == [401] * (FREE_TRIES - 1) and statuses[-1] == 429
    assert join(site, site.invited("owner"), "grace").status_code == 429  # the same address


# Passkeys


def test_passkey_of_another_user_is_neither_seen_nor_removed(
    site: Site, ada: Person, grace: Person
) -> None:
    with PeopleStore(site.engine, BOX).transaction() as records:
        user = records.user_named("ada")
        assert user is not None
        records.factors.add_passkey(
            Passkey("YWRhcw", user.id, "a2V5", 0, "localhost", "ada's key", 1.0, None)
        )
    assert "ada's key" not in grace.get("/account/second").text.replace("&#39;", "'")
    fields = {"remove_password": PASSWORD, "id": "YWRhcw"}
    grace.post("/account/second/remove-passkey", **fields)
    assert "ada's key" in ada.get("/account/second").text.replace("&#39;", "'")
    assert ada.post("/account/second/remove-passkey", **fields).is_redirect
    assert "ada's key" not in ada.get("/account/second").text.replace("&#39;", "'")


# Where a sign-in leads


def test_second_factor_leads_to_no_other_site_either(site: Site, ada: Person) -> None:
    from tests.host_server.portal.pages.test_second_factors import code_of, half_of, with_app

    secret, _ = with_app(site, ada)
    for n, back in enumerate(("//evil.example", "https://evil.example", "/\\evil.example")):
        stranger, half = half_of(site, "ada")
        site.clock.now += 60
        done = stranger.post("/sign-in/second", half=half, code=code_of(secret, site), next=back)
        assert (done.status_code, done.headers["Location"]) == (303, "/"), n
    found = ada.post("/sign-in", name="ada", password=PASSWORD, next="//evil.example")
    assert "evil.example" not in found.text
