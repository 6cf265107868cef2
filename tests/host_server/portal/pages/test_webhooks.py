# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The page of webhooks, and messages that a running portal sends."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from muster_server.label import new_label
from muster_server.outgoing import Rules
from tests.host_server.config_server.field import Field
from tests.host_server.portal.pages.site import Person, Site, opened
from tests.host_server.portal.test_webhooks import receiver

SCRIPT = "https://example.org/<script>alert(1)</script>"
ALL = {"device.added": "yes", "device.failed": "yes"}
_PATIENCE_S = 20.0


@pytest.fixture
def inside(place: Field, tmp_path: Path) -> Iterator[Site]:
    """A portal that may tell this machine."""
    with opened(place, tmp_path, Rules(("127.0.0.1/32",))) as site:
        yield site


def hook_of(page: str) -> str:
    return str(re.findall(r'name="id" value="(\w+)"', page)[0])


def test_running_portal_tells_what_happens_and_sends_a_test(inside: Site) -> None:
    ada = inside.joined("ada", "administrator")
    with receiver() as (url, came):
        made = ada.post("/webhooks", url=url, **ALL)
        assert re.search(r'id="webhook-secret">whsec_[A-Za-z0-9+/=]{44}<', made.text)
        page = ada.get("/webhooks").text
        assert "whsec_" not in page and "a=b" not in page
        assert ada.post("/webhooks/test", id=hook_of(page)).is_redirect
        assert "HTTP 200" in ada.get("/webhooks").text
        label, grace = new_label(), inside.joined("grace", "owner")
        hers = {"profile": "new", "ssid": "home", "password": "a password of hers"}
        assert grace.post("/add", label=new_label().qr_text, **hers).is_redirect
        assert ada.post("/add", label=label.qr_text, profile="press").is_redirect
        end = time.monotonic() + _PATIENCE_S
        while len(came) < 2 and time.monotonic() < end:
            time.sleep(0.05)
        assert ada.post("/webhooks/remove", id=hook_of(page)).is_redirect
    told = [json.loads(body) for _, body, _ in came]
    assert [message["type"] for message in told] == ["webhook.test", "device.added"]
    assert told[1]["data"] == {"device_id": label.device_id}  # of the house's device alone


def test_owners_have_no_webhooks_and_address_inside_is_refused(ada: Person, grace: Person) -> None:
    assert grace.get("/webhooks").status_code == 403
    for path in ("", "/test", "/enable", "/remove"):
        assert grace.post("/webhooks" + path, url="https://example.org/", **ALL).status_code == 403
    for url in ("http://127.0.0.1:8421/", "https://10.0.0.1/", SCRIPT, "javascript:alert(1)"):
        refused = ada.post("/webhooks", url=url, **ALL)
        assert refused.status_code == 422 and "<script>" not in refused.text
    assert ada.post("/webhooks/test", id="nobody").status_code == 404
    some = ada.post("/webhooks", url="ftp://x", **{"device.failed": "yes"}).text
    assert 'name="device.failed" value="yes" checked' in some and some.count(" checked") == 1
    made = ada.post("/webhooks", url="https://example.org/secret-path", **ALL)
    assert made.status_code == 200
    page = ada.get("/webhooks").text
    assert "example.org" in page and "secret-path" not in page
    assert "secret-path" not in ada.get("/audit").text
