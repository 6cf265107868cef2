# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Is a claim answered, and written down, the same whichever way it goes?"""

import http.client
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI

from muster_server.errors import Unavailable
from muster_server.label import new_label
from muster_server.portal.app import BODY_LIMIT_BYTES
from muster_server.portal.service import Portal
from muster_server.store.audit import AuditStore, Deed
from muster_server.store.engine import database_url
from muster_server.tokens import new_token
from tests.host_server.config_server.field import Field
from tests.host_server.portal.pages.site import ADMIN_TOKEN, Site, opened

# A header that comes twice: the direct way leaves such requests to the framework.
_FRAMEWORK = (("X-Twice", "1"), ("X-Twice", "1"))
_PATIENCE_S = 20

Answered = tuple[int, dict[str, str], Any]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = Path(tmp_path_factory.mktemp("site"))
    place = Field(database_url(folder, "config"))
    with opened(place, folder) as site:
        yield site
    place.engine.dispose()


def claim(
    site: Site,
    body: bytes,
    token: str = ADMIN_TOKEN,
    *,
    more: tuple[tuple[str, str], ...] = (),
    length: int | None = None,
) -> Answered:
    connection = http.client.HTTPConnection(urlsplit(site.url).netloc, timeout=_PATIENCE_S)
    try:
        connection.putrequest("POST", "/v1/devices?as=it-comes")
        for name, value in (("Authorization", f"Bearer {token}"), *more):
            connection.putheader(name, value)
        connection.putheader("Content-Type", "application/json")
        connection.putheader("Content-Length", str(len(body) if length is None else length))
        connection.endheaders(body)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), json.loads(answer.read())
    finally:
        connection.close()


def both(site: Site, bodies: tuple[bytes, bytes], **more: Any) -> tuple[Answered, Answered]:
    return claim(site, bodies[0], **more), claim(site, bodies[1], **more, more=_FRAMEWORK)


def body(label: str, **others: Any) -> bytes:
    return json.dumps({"label": label, "profile": "press", "name": "press 4"} | others).encode()


def alike(answer: Answered) -> tuple[int, dict[str, str], str]:
    """The answer without what is another for each device, and each moment."""
    status, headers, document = answer
    text = json.dumps(document)
    for name in ("device_id", "originator"):
        found = re.search(rf'"{name}": "([^"]*)"', text)
        text = text.replace(found[1], name) if found else text
    text = re.sub(r'"(ms|at|until|registered_at|expires_at)": [0-9.]+', r'"\1": 0', text)
    kept = {
        k.lower(): v for k, v in headers.items() if k.lower() not in ("date", "content-length")
    }
    return status, kept, text


def newest(site: Site, most: int) -> list[Deed]:
    return [line.deed for line in site.people.audit.newest(most)]


def about(deed: Deed) -> tuple[Any, ...]:
    return deed.who, deed.owner, deed.address, deed.deed, deed.status


def test_claim_is_answered_and_written_down_alike(site: Site) -> None:
    labels = [new_label() for _ in range(2)]
    direct, framework = both(site, (body(labels[0].qr_text), body(labels[1].qr_text)))
    assert direct[0] == 201
    assert alike(direct) == alike(framework)
    later, former = newest(site, 2)
    assert about(former) == about(later)
    assert about(former)[1:] == ("admin", "127.0.0.1", "register device", 201)
    assert [former.about, later.about] == [label.device_id for label in labels]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (body(new_label().qr_text[:-1] + "1"), 422),
        (body(new_label().qr_text, profile="other"), 404),
        (body(new_label().qr_text, until=1), 422),
        (b'{"label": 5}', 422),
        (b"{}", 422),
        (b"[]", 422),
        (b"{", 422),
        (b"", 422),
    ],
)
def test_refusal_is_answered_and_written_down_alike(site: Site, sent: bytes, status: int) -> None:
    direct, framework = both(site, (sent, sent))
    assert direct[0] == status
    assert alike(direct) == alike(framework)
    later, former = newest(site, 2)
    assert about(former) == about(later)
    assert (former.status, former.about) == (status, "")


def test_body_that_is_too_long_is_refused_unread_and_written_down_alike(site: Site) -> None:
    direct, framework = both(site, (b"", b""), length=BODY_LIMIT_BYTES + 1)
    assert direct[0] == 413
    assert alike(direct) == alike(framework)
    later, former = newest(site, 2)
    assert about(former) == about(later)
    assert former.status == 413


@pytest.mark.parametrize("token", ["", "x", new_token()])
def test_stranger_is_refused_alike_and_not_written_down(site: Site, token: str) -> None:
    before = newest(site, 1)
    sent = body(new_label().qr_text)
    direct, framework = both(site, (sent, sent), token=token)
    assert direct[0] == 401
    assert alike(direct) == alike(framework)
    assert newest(site, 1) == before


@pytest.mark.parametrize("error", [Unavailable("busy", retry_s=7), RuntimeError("a defect")])
def test_what_goes_wrong_is_answered_alike(
    site: Site, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*about: object) -> None:
        raise error

    monkeypatch.setattr(Portal, "register", fail)
    sent = body(new_label().qr_text)
    direct, framework = both(site, (sent, sent))
    assert direct[0] == (503 if isinstance(error, Unavailable) else 500)
    assert alike(direct)[1]["x-content-type-options"] == "nosniff"
    assert alike(direct) == alike(framework)


def test_claim_is_answered_though_it_cannot_be_written_down(
    site: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*about: object) -> None:
        raise Unavailable("the database is busy")

    monkeypatch.setattr(AuditStore, "add", fail)
    sent = body(new_label().qr_text), body(new_label().qr_text)
    assert [answer[0] for answer in both(site, sent)] == [201, 201]
    told = "not in the audit log: register device by administrator's token: the database is busy"
    assert [record.message for record in caplog.records].count(told) == 2


def test_only_the_administrators_token_goes_past_the_framework(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    ways: list[str] = []
    framework = FastAPI.__call__

    async def noted(app: FastAPI, *about: Any) -> None:
        ways.append(app.title)
        await framework(app, *about)

    ada = site.joined("ada", "administrator")
    page = ada.post("/account/tokens", name="ci", scope="manage", days="30").text
    found = re.search(r"mst_[A-Za-z0-9_-]{43}", page)
    assert found is not None
    monkeypatch.setattr(FastAPI, "__call__", noted)
    assert claim(site, body(new_label().qr_text))[0] == 201
    assert "Muster portal" not in ways
    assert claim(site, body(new_label().qr_text), found[0])[0] == 201
    assert ways.count("Muster portal") == 1
    assert newest(site, 1)[0].who == "ada"
