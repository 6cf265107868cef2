# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What do the forms of profiles promise to an operator?"""

import html
import re
from typing import Any

import pytest

from muster_server.label import new_label
from tests.host_server.config_server.field import PROFILE
from tests.host_server.portal.api import call
from tests.host_server.portal.pages.profile_fields import fields
from tests.host_server.portal.pages.site import ADMIN_TOKEN, Person, Site


def stored(site: Site, name: str) -> dict[str, Any]:
    with site.field.store.transaction() as records:
        document = records.profile(name)
    assert document is not None
    return document


def test_first_settings_are_made_in_the_browser(site: Site, ada: Person) -> None:
    new = {
        "name": "home",
        "networks[0].ssid": "factory",
        "networks[0].psk": "correct horse",
        "platform.url": "http://127.0.0.1:8422",
        "platform.insecure": "yes",
        "country": "de",
        "app": '{"interval_s": 5}',
    }
    answer = ada.post("/settings/new", **fields(ada.get("/settings/new").text, **new))
    assert answer.is_redirect, answer.text
    assert 'href="/settings/home"' in ada.get("/settings").text
    made = stored(site, "home")
    assert made["networks"] == [
        {"ssid": "factory", "psk": "correct horse", "hidden": False, "ip": "dhcp"}
    ]
    assert (made["country"], made["app"]) == ("DE", {"interval_s": 5})


def test_form_that_is_sent_as_it_is_shown_changes_nothing(site: Site, ada: Person) -> None:
    networks = [
        {
            "ssid": "fixed",
            "psk": "correct horse",
            "ip": {"address": "192.0.2.7/24", "gateway": "192.0.2.1", "dns": "192.0.2.1"},
        },
        {"ssid_b64": "Qvxybw==", "psk": None, "hidden": True},
    ]
    whole = PROFILE | {
        "name": "whole",
        "networks": networks,
        "app": {"a": [1, {"b": "ü"}]},
        "app_schema": {"type": "object"},
        "policy": {
            **{"failsafe_s": 90, "sync_s": 60, "ntp": "ntp.example"},
            **{"local_wifi": True, "commands_s": 0},
        },
        "reonboarding": "never",
    }
    assert call("POST", site.url + "/v1/profiles", whole, ADMIN_TOKEN).status_code == 201
    before = stored(site, "whole")
    shown = ada.get("/settings/whole").text
    assert "correct horse" not in shown
    assert ada.post("/settings/whole", **fields(shown)).is_redirect
    assert stored(site, "whole") == before


def test_how_commands_come_is_chosen_there(site: Site, ada: Person) -> None:
    shown = ada.get("/settings/press").text
    for typed, policy in (("0", {"commands_s": 0}), ("60", {"commands_s": 60}), ("", {})):
        answer = ada.post("/settings/press", **fields(shown, **{"policy.commands_s": typed}))
        assert answer.is_redirect, answer.text
        assert {"commands_s": None} | policy == {
            "commands_s": stored(site, "press")["policy"].get("commands_s")
        }
    refused = ada.post("/settings/press", **fields(shown, **{"policy.commands_s": "86401"}))
    assert (refused.status_code, 'id="policy.commands_s-error"' in refused.text) == (422, True)


def test_each_field_that_is_wrong_is_named_and_nothing_typed_is_lost(
    site: Site, ada: Person
) -> None:
    wrong = {"country": "Germany", "app": "{", "policy.sync_s": "often", "name": "a b"}
    shown = ada.get("/settings/new").text
    for path, value in wrong.items():
        good = {"name": "x", "country": "DE", "networks[0].ssid": "a", "networks[0].open": "yes"}
        good |= {"platform.url": "http://127.0.0.1:8422", "platform.insecure": "yes"}
        answer = ada.post("/settings/new", **fields(shown, **{**good, path: value}))
        assert answer.status_code == 422, path
        assert f'id="{path}-error"' in answer.text, path
        assert 'value="http://127.0.0.1:8422"' in answer.text


def test_settings_in_use_are_not_removed_and_say_by_whom(site: Site, ada: Person) -> None:
    label = new_label()
    ada.post("/add", label=label.qr_text, profile="press")
    assert "1 prepared" in re.sub(r"\s+", " ", ada.get("/settings/press").text)
    refused = ada.post("/settings/press/remove")
    assert (refused.status_code, label.device_id in html.unescape(refused.text)) == (409, True)
    ada.post(f"/devices/{label.device_id}/remove")
    assert ada.post("/settings/press/remove").is_redirect


@pytest.mark.parametrize("role", ["owner", "viewer"])
def test_settings_of_the_house_are_for_who_manages_it(site: Site, ada: Person, role: str) -> None:
    person = site.joined("someone", role)
    for path in ("/settings", "/settings/new", "/settings/press"):
        assert person.get(path).status_code == 403
    for path in ("/settings/new", "/settings/press", "/settings/press/remove"):
        assert person.post(path).status_code == 403
    assert "/settings" not in person.get("/devices").text


def test_profile_of_an_owner_is_no_setting_of_the_house(
    site: Site, ada: Person, grace: Person
) -> None:
    wifi = {"profile": "new", "ssid": "home", "password": "a password of mine"}
    grace.post("/add", label=new_label().qr_text, **wifi)
    (name,) = re.findall(r'value="(o-[^"]+)"', grace.get("/add").text)
    assert name not in ada.get("/settings").text
    assert ada.get(f"/settings/{name}").status_code == 404
    assert ada.post(f"/settings/{name}/remove").status_code == 404
