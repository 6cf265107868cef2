# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Do labels become a PDF, of which the portal keeps nothing?"""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import requests

from muster_server.label import new_label
from tests import secrecy
from tests.host_server.portal.pages.site import Person, Site


def send(person: Person, table: bytes, **fields: str) -> requests.Response:
    return person.session.post(
        person.url + "/labels",
        data={"form_token": person.form_token(), "size": "avery-l7160", "first": "1", **fields},
        files={"csv": ("labels.csv", table, "text/csv")},
        headers={"Origin": person.url},
        timeout=30,
        allow_redirects=False,
    )


def test_table_becomes_a_pdf_and_nothing_is_kept(
    site: Site, grace: Person, tmp_path: Path
) -> None:
    label = new_label()
    secrecy.hide_label(label.qr_text, label.secret)
    answer = send(grace, f"device_id,label\n{label.device_id},{label.qr_text}".encode())
    assert answer.status_code == 200 and answer.content.startswith(b"%PDF-")
    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "attachment" in answer.headers["Content-Disposition"]
    for file in tmp_path.glob("*.sqlite"):
        with closing(sqlite3.connect(file)) as database:
            assert label.qr_text[-36:] not in "\n".join(database.iterdump())


@pytest.mark.parametrize(
    ("table", "fields", "field"),
    [
        (b"label\nMUSTER:1:A:B", {}, "csv"),
        (b"", {}, "csv"),
        (b"x\n" * 3000, {}, "csv"),
        (None, {"size": "<script>"}, "size"),
        (None, {"first": "99"}, "first"),
        (None, {"first": "x"}, "first"),
    ],
)
def test_what_cannot_be_drawn_is_said_at_its_field(
    site: Site, grace: Person, table: bytes | None, fields: dict[str, str], field: str
) -> None:
    answer = send(grace, new_label().qr_text.encode() if table is None else table, **fields)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text and "<script>" not in answer.text


def test_upload_that_is_too_large_is_refused(site: Site, grace: Person) -> None:
    assert send(grace, b"x" * 1_500_000).status_code == 413
