# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Where is a browser led that asks for an address without a page?"""

import requests

from tests.host_server.portal.pages.site import Person, Site

BROWSER = {"Accept": "text/html,*/*;q=0.8", "Accept-Language": "de"}


def test_address_without_a_page_is_a_page_that_says_so(site: Site, ada: Person) -> None:
    answer = requests.get(site.url + "/nothing/here", headers=BROWSER, timeout=5)
    assert (answer.status_code, "Diese Seite gibt es nicht." in answer.text) == (404, True)
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    for path, headers in (("/v1/nothing", BROWSER), ("/nothing", {"Accept": "*/*"})):
        answer = requests.get(site.url + path, headers=headers, timeout=5)
        assert answer.json()["code"] == "not_found", path


def test_answer_of_a_form_that_is_loaded_again_leads_to_the_forms_page(
    site: Site, ada: Person
) -> None:
    ada.session.headers.update(BROWSER)
    for path, above in (
        ("/people/invite", "/people"),
        ("/people/invite?lang=de", "/people?lang=de"),
        ("/account/tokens", "/account"),
        ("/devices/X-1/place", "/devices/X-1"),
        ("/sign-out", "/"),
    ):
        answer = ada.get(path)
        assert (answer.status_code, answer.headers["Location"]) == (303, above), path
    assert requests.get(site.url + "/people/invite", timeout=5).status_code == 405


def test_another_language_keeps_what_was_looked_for(ada: Person) -> None:
    page = ada.get("/devices?profile=press&lang=en&search=%3Cb%3E").text
    assert 'href="?profile=press&amp;search=%3Cb%3E&amp;lang=de"' in page
