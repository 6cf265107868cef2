# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does an operator bring a version to the devices by the pages, and change a Wi-Fi password?"""

import re
import time
from typing import Any

import pytest

from muster_server.label import new_label
from tests.host_server.config_server.field import Device
from tests.host_server.portal.api import call
from tests.host_server.portal.pages.site import ADMIN_TOKEN, Person, Site

_PATIENCE_S = 30
ON_ITS_WAY = 'class="badge">on its way'
FORM = {
    **{"networks[0].ssid": "factory", "country": "DE", "reonboarding": "owner"},
    **{"platform.url": "http://127.0.0.1:8422", "platform.insecure": "yes"},
    **{"platform.cse": "cse-in", "platform.api": "Norg.example.press", "platform.rvi": "4"},
    **{"policy.sync_s": "3600", "policy.failsafe_s": "120"},
}


@pytest.fixture
def devices(site: Site, ada: Person) -> list[Device]:
    """Devices of the house, at work."""
    made = [Device(site.field, new_label()) for _ in range(3)]
    for n, device in enumerate(made):
        body = {"label": device.label.qr_text, "profile": "press", "name": f"press {n}"}
        assert call("POST", site.url + "/v1/devices", body, ADMIN_TOKEN).status_code == 201
        device.onboard()
    return made


def drafted(person: Person, **more: str) -> None:
    answer = person.post(
        "/settings/press", **{**FORM, "app": '{"every_s": 5}'}, draft="yes", **more
    )
    assert answer.headers["Location"] == "/settings/press/versions", answer.text


def begun(person: Person, **more: Any) -> str:
    fields = {"number": "2", "waves": "1", "most_failed": "0", "need_percent": "100", **more}
    answer = person.post("/settings/press/roll-out", **fields)
    assert answer.is_redirect, answer.text
    return str(answer.headers["Location"])


def pass_time(site: Site) -> None:
    """Let the devices' clock go on: what comes now is heard after what came before."""
    site.field.clock.pass_s(10)


def says(person: Person, path: str, text: str) -> str:
    until = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until:
        page = person.get(path).text
        if text in page:
            return page
        time.sleep(0.3)
    raise AssertionError(f"{path} does not say {text!r}")


def test_version_is_drafted_compared_previewed_and_rolled_out(
    site: Site, ada: Person, devices: list[Device]
) -> None:
    drafted(ada)
    page = ada.get("/settings/press/versions").text
    assert "3 of 3 devices run the version in force" in page
    page = ada.get("/settings/press/difference?old=1&new=2").text
    assert "app.every_s" in page and "psk" not in page
    page = ada.get(f"/settings/press/preview?number=2&device_id={devices[0].id.lower()}").text
    assert "every_s" in page and "hidden" in page and "correct horse" not in page
    where = begun(ada)
    page = says(ada, where, ON_ITS_WAY)
    assert "0 of 1" in page and "0 of 2" in page
    pass_time(site)
    for device in devices:
        given = device.sync(k="1")
        if given["action"] == "configure":
            device.confirm(given["config"]["version"])
    page = says(ada, where, "the next one waits for you")
    assert ada.post(where + "/go-on").is_redirect
    says(ada, where, "is under way")
    assert "A version is on its way" in ada.get("/settings/press/versions").text
    assert ada.post("/settings/press", **FORM).status_code == 409
    assert ada.post(where + "/abort").is_redirect
    page = says(ada, where, "taken back")
    assert "1 of 3" not in ada.get("/devices").text
    behind = ada.get("/devices?profile=press&behind=yes").text
    assert len(re.findall(r'class="item"', behind)) == 1
    assert "It takes the change when it next asks" in behind
    audit = ada.get("/audit").text
    assert "begin rollout" in audit and "change rollout" in audit and where[-16:] in audit


def test_roll_out_stops_and_says_why(site: Site, ada: Person, devices: list[Device]) -> None:
    drafted(ada)
    where = begun(ada, waves="")
    says(ada, where, ON_ITS_WAY)
    pass_time(site)
    version = devices[0].sync(k="1")["config"]["version"]
    failed = {"config": version, "step": 8, "code": "wifi_auth", "detail": "<b>no</b>"}
    devices[0].sync(k="1", last=failed)
    page = says(ada, where, "has stopped")
    assert "Failed: 1, allowed: 0" in page and "wifi_auth" in page
    assert "<b>no" not in page
    only = ada.get(where + "?state=failed").text
    assert devices[0].id in only and devices[1].id not in only


def test_wrong_waves_are_said_at_their_field(
    site: Site, ada: Person, devices: list[Device]
) -> None:
    drafted(ada)
    fields = {"number": "2", "waves": "1", "most_failed": "x", "need_percent": "100"}
    answer = ada.post("/settings/press/roll-out", **fields)
    assert answer.status_code == 422 and 'id="most_failed-error"' in answer.text
    answer = ada.post("/settings/press/roll-out", **{**fields, "most_failed": "0", "number": "9"})
    assert answer.status_code == 404


def test_wifi_password_changes_and_is_retired_when_all_have_both(
    site: Site, ada: Person, devices: list[Device]
) -> None:
    new = "a new password"
    refused = ada.post("/settings/press/wifi", ssid="factory", password="short")
    assert refused.status_code == 422 and "has 8 to 63 characters" in refused.text
    assert ada.post("/settings/press/wifi", ssid="factory", password=new).is_redirect
    page = ada.get("/settings/press/wifi").text
    assert "Devices that have not got both yet: 3." in page and new not in page
    refused = ada.post("/settings/press/wifi/end", ssid="factory", keep="new")
    assert refused.status_code == 409
    for device in devices:
        device.confirm(device.sync(k="1")["config"]["version"])
    assert "All devices have both" in ada.get("/settings/press/wifi").text
    assert ada.post("/settings/press/wifi/end", ssid="factory", keep="new").is_redirect
    networks = devices[0].sync(k="2")["config"]["networks"]
    assert [network["psk"] for network in networks] == [new]
    assert new not in ada.get("/settings/press/difference?old=1&new=3").text


def test_versions_and_roll_outs_are_for_who_manages_the_house(
    site: Site, ada: Person, grace: Person, devices: list[Device]
) -> None:
    drafted(ada)
    where = begun(ada)
    for path in (where, "/settings/press/versions", "/settings/press/wifi"):
        assert grace.get(path).status_code == 403
    for path in (where + "/abort", "/settings/press/roll-out", "/settings/press/use"):
        assert grace.post(path, number="2").status_code == 403
