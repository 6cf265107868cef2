# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What do the pages promise to whoever signs in?"""

import requests

from tests.host_server.portal.pages.site import PASSWORD, Person, Site


def test_first_page_leads_a_stranger_to_the_sign_in(site: Site) -> None:
    first = requests.get(site.url, timeout=5)
    assert (first.status_code, first.url) == (200, site.url + "/sign-in?next=/devices")
    assert "Sign in" in first.text


def test_first_link_makes_an_administrator_once(site: Site) -> None:
    code = site.people.first_invitation()
    assert code is not None
    first, second = Person(site.url), Person(site.url)
    assert first.post("/join", code=code, name="Ada", password=PASSWORD).status_code == 303
    assert "administrator: everything" in first.get("/account").text
    refused = second.post("/join", code=code, name="eve", password=PASSWORD)
    assert refused.status_code == 401
    assert "this invitation is not good any more" in refused.text
    assert site.people.first_invitation() is None


def test_link_of_an_earlier_start_is_good_no_more(site: Site) -> None:
    former, now = site.people.first_invitation(), site.people.first_invitation()
    assert former and now
    person = Person(site.url)
    answers = [
        person.post("/join", code=code, name="ada", password=PASSWORD) for code in (former, now)
    ]
    assert [answer.status_code for answer in answers] == [401, 303]


def test_short_password_is_refused_at_its_field(site: Site) -> None:
    code = site.people.first_invitation() or ""
    refused = Person(site.url).post("/join", code=code, name="ada", password="short")
    assert refused.status_code == 422
    assert 'id="password-error">wanted 12 to 256 characters' in refused.text
    assert "short" not in refused.text.replace("short of", "")
    # The link's fragment is out of the address: what it carried is still in its field.
    assert f'value="{code}"' in refused.text and 'value="ada"' in refused.text
    assert Person(site.url).post("/join", code=code, name="ada", password=PASSWORD).is_redirect


def test_name_and_password_sign_in_and_out(site: Site, ada: Person) -> None:
    again = Person(site.url)
    answer = again.post("/sign-in", name=" ADA ", password=PASSWORD, next="/account")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account")
    assert again.get("/account").status_code == 200
    cookie = again.cookie
    assert again.post("/sign-out").status_code == 303
    kept = requests.get(
        site.url + "/account", cookies={"muster": cookie}, timeout=5, allow_redirects=False
    )
    assert kept.headers["Location"].startswith("/sign-in")
    assert ada.get("/account").status_code == 200


def test_session_ends_when_it_is_not_used_for_a_week_or_after_a_month(
    site: Site, ada: Person
) -> None:
    site.clock.now += 6 * 86400
    assert ada.get("/account").status_code == 200
    site.clock.now += 8 * 86400
    assert ada.get("/account").status_code == 303
    ada.post("/sign-in", name="ada", password=PASSWORD)
    for _ in range(6):
        site.clock.now += 5.9 * 86400
        last = ada.get("/account").status_code
    assert last == 303


def test_other_password_ends_all_other_sessions(site: Site, ada: Person) -> None:
    other = Person(site.url)
    other.post("/sign-in", name="ada", password=PASSWORD)
    wrong = ada.post("/account/password", old="not this one", new="another four words")
    assert (wrong.status_code, 'id="old-error"' in wrong.text) == (401, True)
    assert ada.post("/account/password", old=PASSWORD, new="another four words").ok
    assert (ada.get("/account").status_code, other.get("/account").status_code) == (200, 303)
    assert other.post("/sign-in", name="ada", password=PASSWORD).status_code == 401
    assert other.post("/sign-in", name="ada", password="another four words").is_redirect


def test_page_of_a_device_comes_back_after_the_sign_in(site: Site, ada: Person) -> None:
    answer = Person(site.url).get("/devices/PRESS-4/live")
    assert answer.headers["Location"] == "/sign-in?next=/devices/PRESS-4/live"


def test_pages_are_in_german_for_who_reads_german(site: Site) -> None:
    german = requests.get(site.url + "/sign-in", headers={"Accept-Language": "de-AT"}, timeout=5)
    assert 'lang="de"' in german.text
    assert "Anmelden" in german.text
    chosen = requests.Session()
    chosen.get(site.url + "/sign-in?lang=de", timeout=5)
    assert "Willkommen" in chosen.get(site.url + "/join", timeout=5).text
