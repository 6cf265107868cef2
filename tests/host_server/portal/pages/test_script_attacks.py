# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Is script that somebody stores where others will look shown to them as text, everywhere?"""

import json
import re
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
import requests

from muster_server.config_server import instances
from muster_server.label import Label, new_label
from muster_server.service_client import Fetched
from tests.host_server.config_server.field import PROFILE, Device
from tests.host_server.portal.api import call
from tests.host_server.portal.pages.site import ADMIN_TOKEN, PASSWORD, Person, Site
from tests.host_server.portal.pages.test_attacks import filled, routes
from tests.host_server.portal.pages.test_many import send
from tests.host_server.portal.test_openapi import NAMES

SCRIPT = "<script>alert(1)</script>"
IMAGE = "<img src=x onerror=alert(1)>"
QUOTED = "\"'><svg onload=alert(1)>"
_OURS = re.compile(r'<script src="/static/[^"]*" defer></script>')
_PATIENCE_S = 30.0
# What a device says at its platform, and what it has answered to a command.
SAID = Fetched(
    200,
    {"X-M2M-RSC": "2000"},
    b'{"m2m:cnt":{"m2m:cin":[{"ri":"1","ct":"20261123T075904,012551",'
    b'"con":"{\\"n\\":\\"<script>alert(1)</script>\\",\\"v\\":\\"<img src=x onerror=alert(1)>\\"}"'
    b"}]}}",
)


def check(text: str, where: str) -> None:
    """Nothing of what was stored has become a tag."""
    plain = _OURS.sub("", text).lower()
    for tag in ("<script", "<img src=x", "<svg onload", "<b>home"):
        assert tag not in plain, where


@pytest.fixture
def device(site: Site, ada: Person, monkeypatch: pytest.MonkeyPatch) -> Device:
    """A device of the house whose every field somebody hostile has written."""
    monkeypatch.setattr(instances, "fetch", lambda *_, **__: SAID)
    label: Label = new_label()
    hostile = PROFILE | {"name": "odd", "app": {SCRIPT: IMAGE, "key": QUOTED}}
    assert call("POST", site.url + "/v1/profiles", hostile, ADMIN_TOKEN).status_code == 201
    body = {"label": label.qr_text, "profile": "odd", "name": SCRIPT}
    assert call("POST", site.url + "/v1/devices", body, ADMIN_TOKEN).status_code == 201
    marks = {"group": IMAGE, "tags": [SCRIPT, QUOTED]}
    where = f"{site.url}/v1/devices/{label.device_id}"
    assert call("PATCH", where, marks, ADMIN_TOKEN).status_code == 200
    device = Device(site.field, label)
    says = {"model": SCRIPT, "board": IMAGE, "firmware": QUOTED, "reset_cause": SCRIPT}
    device.sync(**says)
    # "<script>x</script>" and an <img>, as names of networks that the device hears.
    heard = [["PHNjcmlwdD54PC9zY3JpcHQ-", 6, -48, 3], ["PGltZyBzcmM9eCBvbmVycm9yPTE-", 1, -50, 0]]
    last = {"config": 1, "step": 8, "code": "wifi_no_ap", "detail": f"{IMAGE}{QUOTED}"}
    device.sync(**says, scan=heard, last=last)
    return device


def pages_of(person: Person, device: Device, **names: str) -> Iterator[requests.Response]:
    for path in routes("GET"):
        if "stream" not in path:
            named = path
            for name, value in names.items():
                named = named.replace("{" + name + "}", value)
            yield person.get(filled(named, device.id))


def test_what_devices_and_people_have_written_is_text_on_each_page_in_both_languages(
    site: Site, ada: Person, device: Device
) -> None:
    mallory = Person(site.url)
    joined = mallory.post("/join", code=site.invited("viewer"), name=SCRIPT, password=PASSWORD)
    assert joined.is_redirect
    ada.post("/account/tokens", name=IMAGE, scope="read", days="5")
    for language in ("en", "de"):
        ada.get(f"/sign-in?lang={language}")
        for answer in pages_of(ada, device):
            if "text/html" in answer.headers.get("Content-Type", ""):
                check(answer.text, answer.url)
    page = ada.get(f"/devices/{device.id}").text
    assert "&lt;script&gt;" in page and "&lt;img src=x" in page  # it is there, as text
    assert "&lt;script&gt;alert(1)" in ada.get("/people").text
    heard = ada.get(f"/devices/{device.id}/network")
    if heard.status_code == 200:
        assert "&lt;script&gt;x" in heard.text


def test_live_pages_stream_sends_it_as_text(site: Site, ada: Person, device: Device) -> None:
    # It hears no network of its own; the nearest by its name bears a tag.
    scan = [["ZmFjdG9yeTxpbWcgc3JjPXggb25lcnJvcj0xPg", 6, -48, 3]]
    device.sync(scan=scan)
    where = f"{site.url}/devices/{device.id}/live/stream"
    cookies = {"muster": ada.cookie}
    with closing(requests.get(where, cookies=cookies, stream=True, timeout=20)) as answer:
        for line in answer.iter_lines(chunk_size=1, decode_unicode=True):
            if line.startswith("data: "):
                html = json.loads(line[6:])["html"]
                assert "&lt;img src=x" in html
                check(html, where)
                return
    raise AssertionError("the stream said nothing")


def test_what_an_operator_has_written_is_text_to_the_next_one(
    site: Site, ada: Person, device: Device
) -> None:
    bob = site.joined("bob", "operator")
    changed = PROFILE | {"name": "odd", "app": {IMAGE: SCRIPT, "key": 5}}
    url = site.url + "/v1/profiles/odd/versions"
    number = call("POST", url, changed, ADMIN_TOKEN).json()["number"]
    begun = bob.post(
        "/settings/odd/roll-out",
        **{"number": str(number), "waves": f"{IMAGE}, 1", "most_failed": "0"},
        need_percent="100",
    )
    assert begun.is_redirect, begun.text
    table = f"name,label\n{SCRIPT},{new_label().qr_text}\n{IMAGE},{QUOTED}"
    task = send(bob, table.encode())
    assert task.is_redirect
    looked_at = [
        begun.headers["Location"],
        task.headers["Location"],
        "/settings/odd/versions",
        f"/settings/odd/difference?old=1&new={number}",
        f"/settings/odd/preview?number={number}&device_id={device.id}",
        f"/devices?group={IMAGE}&tag={SCRIPT}&search={QUOTED}&profile=odd&behind=yes",
        f"/several?group={IMAGE}",
        "/settings/odd",
        "/audit",
    ]
    end = time.monotonic() + _PATIENCE_S
    while "data-running" in ada.get(task.headers["Location"]).text and time.monotonic() < end:
        time.sleep(0.2)
    for path in looked_at:
        answer = ada.get(path)
        assert answer.status_code == 200, path
        check(answer.text, path)
    assert "&lt;img" in ada.get(f"/settings/odd/difference?old=1&new={number}").text
    refused = bob.post("/settings/odd/roll-out", number=SCRIPT, waves=QUOTED)
    assert refused.status_code == 422
    check(refused.text, "/settings/odd/roll-out")


def test_answers_of_the_api_are_no_page_whatever_is_in_them(
    site: Site, ada: Person, device: Device
) -> None:
    """A browser that is led there takes none of them for HTML."""
    paths: dict[str, Any] = requests.get(site.url + "/openapi.json", timeout=5).json()["paths"]
    headers = {"Authorization": f"Bearer {ADMIN_TOKEN}", "Accept": "text/html"}
    names = {**NAMES, "device_id": device.id, "name": "odd"}
    for path, methods in paths.items():
        if "get" not in methods or path.endswith("/stream"):
            continue
        where = site.url + path.format(**names)
        answer = requests.get(where, headers=headers, timeout=10)
        kind = answer.headers["Content-Type"].partition(";")[0]
        # An SVG is of our own drawing: QR codes, with no text in them.
        known = ("application/json", "application/problem+json", "text/plain", "image/svg+xml")
        assert kind in (*known, "application/octet-stream"), (path, kind)
        assert answer.headers["X-Content-Type-Options"] == "nosniff", path
    missing = requests.get(f"{site.url}/v1/devices/{SCRIPT}", headers=headers, timeout=5)
    assert missing.headers["Content-Type"] == "application/problem+json"
