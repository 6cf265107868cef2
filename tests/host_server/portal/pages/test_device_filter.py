# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does the list of devices show what was asked for, and keep it from page to page?"""

from muster_server.label import new_label
from muster_server.portal.pages.device_filter import Asked
from tests.host_server.portal.pages.site import Person, Site

WIFI = {"profile": "new", "ssid": "home", "password": "a password of mine"}


def test_list_shows_a_group_or_a_tag_with_a_link_that_keeps_it(site: Site, grace: Person) -> None:
    names = ("cellar", "attic")
    for name in names:
        label = new_label(name.upper())
        assert grace.post("/add", label=label.qr_text, name=name, **WIFI).is_redirect
    kept = grace.post("/devices/CELLAR/place", group="the <b>house</b>", tags="spare, old,, spare")
    assert kept.is_redirect
    page = grace.get("/devices/CELLAR").text
    assert "the &lt;b&gt;house&lt;/b&gt;" in page and "old, spare" in page
    listed = grace.get(Asked(group="the <b>house</b>", tag="old").address()).text
    assert "cellar" in listed and "attic" not in listed
    assert "the &lt;b&gt;house&lt;/b&gt; (1)" in listed
    assert "show=failed&amp;group=the+%3Cb%3Ehouse" in listed
    assert "There is none." in grace.get("/devices?group=nobody").text
    assert grace.get("/devices?sort=heard&after=x~y").status_code == 422


def test_group_and_tags_that_will_not_do_are_named_at_their_field(
    site: Site, grace: Person
) -> None:
    label = new_label("CELLAR")
    grace.post("/add", label=label.qr_text, name="cellar", **WIFI)
    answer = grace.post("/devices/CELLAR/place", group="g" * 65, tags="a")
    assert answer.status_code == 422 and 'id="group-error"' in answer.text
    answer = grace.post(
        "/devices/CELLAR/place", group="g", tags=",".join("abcdefghijklmnopqrstuvw")
    )
    assert answer.status_code == 422 and 'id="tags-error"' in answer.text
    assert 'value="a,b,c,' in answer.text and 'value="g"' in answer.text  # to be corrected
