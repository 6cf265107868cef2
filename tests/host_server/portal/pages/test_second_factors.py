# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does a password alone let nobody in, once there is a second factor?"""

import re

import pyotp
import pytest
import requests

from muster_server.portal.second_factor import HALF_S
from muster_server.portal.throttle import FREE_TRIES
from muster_server.store.people import PeopleStore
from tests import secrecy
from tests.host_server.portal.pages.site import BOX, PASSWORD, Person, Site

SECOND = "/account/second"


def code_of(secret: str, site: Site, steps: int = 0) -> str:
    return pyotp.TOTP(secret).at(int(site.clock.now), counter_offset=steps)


def with_app(site: Site, person: Person) -> tuple[str, list[str]]:
    """Set an app up; its secret, and the recovery codes. The app's next code is still good."""
    page = person.post(f"{SECOND}/app", app_password=PASSWORD)
    found = re.search(r'id="totp-secret">(\w+)<', page.text)
    assert found, page.text
    secrecy.hide(found[1])
    done = person.post(f"{SECOND}/confirm", code=code_of(found[1], site))
    codes = re.findall(r'<li class="row">([A-Z2-7-]{19})</li>', done.text)
    assert len(codes) == 10
    site.clock.now += 30
    return found[1], codes


def half_of(site: Site, name: str, person: Person | None = None) -> tuple[Person, str]:
    """Type a right password, and nothing else."""
    stranger = person or Person(site.url)
    answer = stranger.post("/sign-in", name=name, password=PASSWORD, next="/account")
    assert answer.status_code == 200 and "Set-Cookie" not in answer.headers
    found = re.search(r'name="half" value="([^"]+)"', answer.text)
    assert found
    return stranger, found[1]


def test_app_is_asked_for_from_its_first_code_on(site: Site, ada: Person) -> None:
    elsewhere = Person(site.url)
    assert elsewhere.post("/sign-in", name="ada", password=PASSWORD).is_redirect
    refused = ada.post(f"{SECOND}/app", app_password="not mine at all")
    assert (refused.status_code, "totp-secret" in refused.text) == (401, False)
    ada.post(f"{SECOND}/app", app_password=PASSWORD)
    assert Person(site.url).post("/sign-in", name="ada", password=PASSWORD).is_redirect
    secret, _ = with_app(site, ada)
    assert elsewhere.get("/account").status_code == 303  # it had come with the password alone
    stranger, half = half_of(site, "ada")
    assert stranger.get("/account").status_code == 303
    done = stranger.post("/sign-in/second", half=half, code=code_of(secret, site), next="/account")
    assert (done.status_code, done.headers["Location"]) == (303, "/account")
    page = stranger.get(SECOND)
    assert page.status_code == 200 and secret not in page.text
    # Nobody changes the secret without removing it first, and that takes the password.
    assert stranger.post(f"{SECOND}/app", app_password=PASSWORD).status_code == 409
    assert stranger.post(f"{SECOND}/remove-app", app_password="x").status_code == 401
    assert stranger.post(f"{SECOND}/remove-app", app_password=PASSWORD).is_redirect
    assert Person(site.url).post("/sign-in", name="ada", password=PASSWORD).is_redirect


def test_code_is_good_once_and_so_is_a_recovery_code(site: Site, ada: Person) -> None:
    secret, codes = with_app(site, ada)
    code = code_of(secret, site)
    stranger, half = half_of(site, "ada")
    assert stranger.post("/sign-in/second", half=half, code=f" {code[:3]} {code[3:]}").is_redirect
    assert stranger.post("/sign-in/second", half=half, code=codes[0]).status_code == 401
    stranger, half = half_of(site, "ada")
    replayed = stranger.post("/sign-in/second", half=half, code=code)
    assert replayed.status_code == 401 and "used before" in replayed.text
    earlier = code_of(secret, site, -1)
    assert stranger.post("/sign-in/second", half=half, code=earlier).status_code == 401
    assert stranger.post("/sign-in/second", half=half, code=codes[0].lower()).is_redirect
    stranger, half = half_of(site, "ada")
    assert stranger.post("/sign-in/second", half=half, code=codes[0]).status_code == 401
    assert "9 left" in ada.get(SECOND).text
    new = ada.post(f"{SECOND}/codes", codes_password=PASSWORD).text
    assert len(re.findall(r'<li class="row">[A-Z2-7-]{19}</li>', new)) == 10
    assert stranger.post("/sign-in/second", half=half, code=codes[1]).status_code == 401


def test_codes_are_not_guessed(site: Site, ada: Person) -> None:
    with_app(site, ada)
    stranger, half = half_of(site, "ada")
    statuses = [
        stranger.post("/sign-in/second", half=half, code=f"{n:06}").status_code
        for n in range(FREE_TRIES + 2)
    ]
    assert statuses[:FREE_TRIES] == [401] * FREE_TRIES
    assert statuses[-1] == 429


def test_half_sign_in_ends_and_is_nothing_by_itself(site: Site, ada: Person) -> None:
    secret, _ = with_app(site, ada)
    _, half = half_of(site, "ada")
    cookies = {"muster": half}
    answer = requests.get(site.url + "/account", cookies=cookies, timeout=5, allow_redirects=False)
    assert answer.status_code == 303
    site.clock.now += HALF_S + 1
    late = Person(site.url).post("/sign-in/second", half=half, code=code_of(secret, site))
    assert late.status_code == 401 and "with your password again" in late.text


def test_session_after_the_second_factor_is_a_new_one(site: Site, ada: Person) -> None:
    """Somebody else cannot have planted it: neither the session nor the half of it."""
    secret, _ = with_app(site, ada)
    stranger = Person(site.url)
    stranger.session.cookies.set("muster", "chosen-by-somebody-else")
    fields = {"form_token": stranger.form_token()}
    half_page = stranger.post("/sign-in", name="ada", password=PASSWORD, **fields)
    half = re.findall(r'name="half" value="([^"]+)"', half_page.text)[0]
    done = stranger.post("/sign-in/second", half=half, code=code_of(secret, site), **fields)
    fresh = done.cookies["muster"]
    assert fresh not in ("chosen-by-somebody-else", half) and len(fresh) > 40


def test_half_sign_in_of_one_user_is_nothing_for_another(site: Site, ada: Person) -> None:
    with_app(site, ada)
    grace = site.joined("grace", "owner")
    hers, _ = with_app(site, grace)
    _, half = half_of(site, "ada")
    answer = Person(site.url).post("/sign-in/second", half=half, code=code_of(hers, site))
    assert answer.status_code == 401


def test_administrator_resets_it_and_the_log_says_so(site: Site, ada: Person) -> None:
    grace = site.joined("grace", "owner")
    with_app(site, grace)
    people = ada.get("/people").text
    (user,) = re.findall(r'reset-second">.*?name="user" value="(\w+)"', people)
    assert grace.post("/people/reset-second", user=user).status_code == 403
    assert ada.post("/people/reset-second", user="nobody").status_code == 404
    assert ada.post("/people/reset-second", user=user).is_redirect
    assert grace.get("/account").status_code == 303  # she signs in anew
    assert Person(site.url).post("/sign-in", name="grace", password=PASSWORD).is_redirect
    audit = ada.get("/audit").text
    assert "reset second factor <strong>grace</strong>" in audit
    assert "confirm app" in audit


def test_nothing_that_opens_is_in_the_database(site: Site, ada: Person) -> None:
    secret, codes = with_app(site, ada)
    half_of(site, "ada")
    with PeopleStore(site.engine, BOX).transaction() as records:
        raw = records._connection.connection.driver_connection
        dump = "\n".join(raw.iterdump())  # type: ignore[union-attr]
    plain = pyotp.TOTP(secret).byte_secret().hex().upper()
    for opening in (secret, plain, codes[0], codes[0].replace("-", "")):
        assert opening not in dump


@pytest.mark.parametrize("credential", ["", "{}", "[]", '{"id":"x"}', "x" * 5000, '{"id":1e999}'])
def test_odd_passkey_is_refused(site: Site, ada: Person, credential: str) -> None:
    answer = Person(site.url).post("/sign-in/passkey", passkey=credential)
    assert answer.status_code == 401
    fields = {"key_password": PASSWORD, "passkey_name": "mine"}
    assert ada.post(f"{SECOND}/passkey", passkey=credential, **fields).status_code == 401
    assert ada.get(SECOND).status_code == 200


def test_who_tries_too_often_keeps_the_code_that_the_app_has(site: Site, ada: Person) -> None:
    shown = ada.post(f"{SECOND}/app", app_password=PASSWORD).text
    found = re.search(r'id="totp-secret">(\w+)<', shown)
    assert found
    secrecy.hide(found[1])
    for _ in range(20):
        answer = ada.post(f"{SECOND}/confirm", code="000000")
        assert found[1] in answer.text, answer.status_code
        if answer.status_code == 429:
            break
    assert answer.status_code == 429
    site.clock.now += 86400
    assert ada.post(f"{SECOND}/confirm", code=code_of(found[1], site)).status_code == 200
