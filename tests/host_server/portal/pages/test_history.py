# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does the audit log promise to an administrator?"""

import csv

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from muster_server.label import new_label
from tests.host_server.portal.api import call
from tests.host_server.portal.pages.site import ADMIN_TOKEN, PASSWORD, Person, Site

WIFI = {"profile": "new", "ssid": "home", "password": "a password of mine"}


def lines(ada: Person) -> list[dict[str, str]]:
    answer = ada.get("/audit.csv")
    assert answer.headers["Content-Type"].startswith("text/csv")
    return list(csv.DictReader(answer.text.splitlines()))


def test_deeds_by_pages_and_by_the_api_are_written_down_with_their_end(
    site: Site, ada: Person, grace: Person
) -> None:
    label = new_label()
    grace.post("/add", label=label.qr_text, **WIFI)
    grace.post(f"/devices/{label.device_id}/close-window")
    grace.get(f"/devices/{label.device_id}")
    call("DELETE", f"{site.url}/v1/devices/{label.device_id}", None, ADMIN_TOKEN)
    Person(site.url).post("/sign-in", name="ada", password="not this one")
    found = [(d["who"], d["deed"], d["about"], d["status"]) for d in lines(ada)]
    assert found[-4:] == [
        ("grace", "add device", label.device_id, "303"),
        ("grace", "close window", label.device_id, "303"),
        ("administrator's token", "release device", label.device_id, "404"),
        ("ada", "sign in", "", "401"),
    ]
    page = ada.get("/audit").text
    assert "close window" in page and "refused (401)" in page


def test_handing_out_a_bundle_is_a_deed_and_reading_is_none(
    site: Site, ada: Person, grace: Person
) -> None:
    label = new_label()
    grace.post("/add", label=label.qr_text, **WIFI)
    grace.post(f"/devices/{label.device_id}/by-hand")
    before = len(lines(ada))
    for path in ("", "/live", "/report"):
        grace.get(f"/devices/{label.device_id}{path}")
    for path in ("profiles", "profiles/press/versions", "rollouts", "webhooks", "devices"):
        assert call("GET", f"{site.url}/v1/{path}", None, ADMIN_TOKEN).status_code == 200
    assert len(lines(ada)) == before
    grace.get(f"/devices/{label.device_id}/bundle")
    assert lines(ada)[-1]["deed"] == "bundle file"


def test_no_line_is_changed_or_removed(site: Site, ada: Person) -> None:
    before = lines(ada)
    for deed in ("UPDATE audit SET who = 'x'", "DELETE FROM audit"):
        with pytest.raises(IntegrityError, match="append-only"), site.engine.begin() as connection:
            connection.execute(text(deed))
    assert lines(ada) == before != []


def test_only_administrators_read_it(site: Site, ada: Person, grace: Person) -> None:
    operator = site.joined("otto", "operator")
    for person in (grace, operator):
        for path in ("/audit", "/audit.csv"):
            assert person.get(path).status_code == 403
    assert ada.get("/audit?before=x").status_code == 404


def test_names_are_no_formulas_and_no_secret_is_in_it(site: Site, ada: Person) -> None:
    Person(site.url).post("/sign-in", name="=cmd|calc", password=PASSWORD)
    assert lines(ada)[-1]["who"] == "'=cmd|calc"
    label = new_label()
    ada.post("/add", label=label.qr_text, **WIFI)
    whole = ada.get("/audit.csv").text
    assert label.qr_text[-36:] not in whole
    assert PASSWORD not in whole and WIFI["password"] not in whole


def test_older_lines_are_on_a_page_of_their_own(site: Site, ada: Person) -> None:
    for _ in range(103):
        site.people.audit.add(site.people.audit.newest(1)[0].deed)
    first = ada.get("/audit").text
    assert "Earlier" in first
    (before,) = {part.split('"')[0] for part in first.split("/audit?before=")[1:]}
    assert "Earlier" not in ada.get(f"/audit?before={before}").text
