# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What do the pages of devices promise to their owner, with a browser that runs no script?"""

import re
from collections.abc import Callable

import pytest

from muster_server.config_server import bundle as form
from muster_server.label import Label, new_label
from tests.host_server.config_server.field import PROFILE, Device
from tests.host_server.portal.pages.site import PASSWORD, Person, Site

WIFI = {"profile": "new", "ssid": "home", "password": "a password of mine"}
FAILED = {"config": 1, "step": 8, "code": "wifi_auth", "detail": "home: status 202"}


@pytest.fixture
def label() -> Label:
    return new_label()


@pytest.fixture
def page(grace: Person, label: Label) -> str:
    """The address of the page of a device that grace has added with her own Wi-Fi."""
    answer = grace.post("/add", label=label.qr_text, name="cellar", **WIFI)
    assert answer.headers["Location"] == f"/devices/{label.device_id}/live"
    return f"/devices/{label.device_id}"


def said(text: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def test_device_is_added_with_a_typed_label_and_ones_own_wifi(
    grace: Person, label: Label, page: str
) -> None:
    live = grace.get(page + "/live").text
    assert "press its button once" in live
    assert '<noscript><meta http-equiv="refresh"' in live
    listed = grace.get("/devices").text
    assert "cellar" in listed and label.device_id in listed


@pytest.mark.parametrize(
    "typed",
    [
        lambda label: label.qr_text.lower(),
        lambda label: f"https://portal.example/add#{label.qr_text}",
        lambda label: f"{label.device_id.lower()}  {label.grouped.lower()}",
        lambda label: f"{label.device_id}\n{label.grouped.replace('O', '0').replace('I', '1')}",
    ],
)
def test_label_is_forgiven_case_blanks_beginning_and_look_alikes(
    grace: Person, label: Label, typed: Callable[[Label], str]
) -> None:
    answer = grace.post("/add", label=typed(label), **WIFI)
    assert answer.headers.get("Location") == f"/devices/{label.device_id}/live"


def test_mistyped_label_is_refused_with_its_group_and_nothing_is_lost(
    grace: Person, label: Label
) -> None:
    groups = label.grouped.split()
    groups[2] = "AB9D"
    answer = grace.post(
        "/add", label=f"{label.device_id} {' '.join(groups)}", name="cellar", **WIFI
    )
    assert answer.status_code == 422
    assert "Look at group 3 again" in answer.text
    assert 'value="cellar"' in answer.text and 'value="home"' in answer.text
    assert WIFI["password"] not in answer.text


def test_network_once_typed_is_offered_again(grace: Person, page: str) -> None:
    form = grace.get("/add").text
    (profile,) = re.findall(r'value="(o-[^"]+)" checked> home', form)
    second = new_label()
    answer = grace.post("/add", label=second.qr_text, profile=profile)
    assert answer.headers["Location"] == f"/devices/{second.device_id}/live"


def test_wifi_password_that_can_be_none_is_refused_at_its_field(
    grace: Person, label: Label
) -> None:
    answer = grace.post("/add", label=label.qr_text, profile="new", ssid="home", password="short")
    assert answer.status_code == 422
    assert 'id="password-error">a Wi-Fi password has 8 to 63 characters' in answer.text


def test_network_without_a_password_is_said_to_be_one_and_never_becomes_one_by_mistake(
    site: Site, grace: Person, label: Label, page: str
) -> None:
    def stored() -> dict[str, str | None]:
        names = re.findall(r'value="(o-[^"]+)"', grace.get("/add").text)
        with site.field.store.transaction() as records:
            profiles = [records.profile(name) or {} for name in names]
        return {p["networks"][0]["ssid"]: p["networks"][0]["psk"] for p in profiles}

    other = {"label": new_label().qr_text, "profile": "new", "password": ""}
    missing = grace.post("/add", ssid="guest", **other)
    assert (missing.status_code, "tick the box" in missing.text) == (422, True)
    assert grace.post("/add", ssid="guest", open="yes", **other).is_redirect
    assert grace.post("/add", ssid="home", **other).is_redirect
    assert grace.post(page + "/password", ssid="home", password="").status_code == 422
    assert stored() == {"home": WIFI["password"], "guest": None}


def test_refused_password_is_typed_again_and_only_that(
    site: Site, grace: Person, label: Label, page: str
) -> None:
    device = Device(site.field, label)
    device.sync()
    device.sync(last=FAILED)
    live = grace.get(page + "/live").text
    assert "The Wi-Fi password for “home” was refused." in live
    assert f'href="{page}/password">Type the password again' in live
    assert grace.get(page + "/password").text.count('type="password"') == 1
    right = "the right one now"
    assert grace.post(page + "/password", ssid="home", password=right).is_redirect
    (name,) = re.findall(r'value="(o-[^"]+)"', grace.get("/add").text)
    with site.field.store.transaction() as records:
        profile = records.profile(name)
    assert profile is not None
    assert profile["networks"][0]["psk"] == right
    assert "It takes the change when it next asks" in grace.get(page + "/live").text


def test_another_network_is_chosen_from_what_the_device_hears(
    site: Site, grace: Person, label: Label, page: str
) -> None:
    device = Device(site.field, label)
    device.sync()
    heard = [["aG9tZS0yRw", 6, -48, 3], ["Z3Vlc3Q", 1, -70, 0]]
    device.sync(scan=heard, last=FAILED | {"code": "wifi_no_ap", "detail": "home: not heard"})
    live = grace.get(page + "/live").text
    assert "The device does not hear “home”." in said(live)
    choice = grace.get(page + "/network").text
    assert "home-2G guest · without password" in said(choice).replace(" -48 dBm", "")
    new = {"profile": "new", "ssid": "home-2G", "password": "a password of mine"}
    assert grace.post(page + "/network", **new).is_redirect
    assert "home-2G" in grace.get("/add").text


def test_window_is_closed_and_opened_again(grace: Person, page: str) -> None:
    assert "Close the window" in grace.get(page).text
    assert grace.post(page + "/close-window").is_redirect
    assert "Its window is closed. Open it" in grace.get(page + "/live").text
    assert grace.post(page + "/window").is_redirect
    assert "press its button once" in grace.get(page + "/live").text


def test_device_is_renamed(grace: Person, page: str) -> None:
    assert grace.post(page + "/name", name="attic").is_redirect
    assert "<h1>attic</h1>" in grace.get(page).text
    assert grace.post(page + "/name", name="x" * 65).status_code == 422


def test_settings_without_wifi_are_offered_where_the_profile_lets_the_device_take_one(
    site: Site, ada: Person
) -> None:
    label, home = new_label(), "/devices/"
    assert ada.post("/add", label=label.qr_text, profile="press").is_redirect
    page = f"{home}{label.device_id}/by-hand"
    assert "without Wi-Fi" not in ada.get(page).text
    assert ada.post(page, without_wifi="yes").status_code == 409
    policy = PROFILE.get("policy", {}) | {"local_wifi": True}
    site.field.profiles.replace("press", PROFILE | {"policy": policy})
    assert "Make the settings without Wi-Fi" in ada.get(page).text
    assert ada.post(page, without_wifi="yes").is_redirect
    text = ada.get(page.replace("/by-hand", "/bundle")).text
    assert form.opened(label, text).config["networks"] == []
    assert "Make them anew, without Wi-Fi" in ada.get(page).text


def test_settings_are_carried_by_hand_and_the_receipt_is_checked(
    grace: Person, label: Label, page: str
) -> None:
    assert "Make the settings" in grace.get(page + "/by-hand").text
    assert grace.post(page + "/by-hand").is_redirect
    carried = grace.get(page + "/by-hand").text
    assert carried.count('<img class="qr" src="data:image/svg+xml') == 1
    file = grace.get(page + "/bundle")
    assert file.headers["Content-Disposition"] == (
        f'attachment; filename="{label.device_id}.muster"'
    )
    assert file.text in carried
    wrong = grace.post(page + "/receipt", receipt="AAAA AAAA")
    assert (wrong.status_code, 'id="receipt-error"' in wrong.text) == (422, True)
    receipt = form.receipt(label.key("receipt-key"), 1, "ok", form.digest_of(file.text))
    right = grace.post(page + "/receipt", receipt=f"{receipt[:4]} {receipt[4:]}".lower())
    assert "Accepted: the device runs version 1." in right.text


def test_handing_over_says_what_is_left_to_do(grace: Person, label: Label, page: str) -> None:
    assert "Somebody else gets this device" in grace.get(page + "/hand-over").text
    done = grace.post(page + "/hand-over")
    assert "This is left to do" in done.text
    assert re.search(r"<li>[^<]{20,}</li>", done.text)
    assert grace.get(page).status_code == 404


def test_device_is_removed(grace: Person, label: Label, page: str) -> None:
    assert "Remove the device?" in grace.get(page + "/remove").text
    assert grace.post(page + "/remove").headers["Location"] == "/devices"
    assert label.device_id not in grace.get("/devices").text


def test_report_is_text_without_a_secret(grace: Person, label: Label, page: str) -> None:
    report = grace.get(page + "/report")
    assert report.headers["Content-Type"].startswith("text/plain")
    assert "the device was registered by its label" in report.text
    assert label.qr_text[-36:] not in report.text


def test_house_settings_are_offered_to_the_house_alone(
    site: Site, ada: Person, grace: Person, label: Label
) -> None:
    assert "settings “press”" in ada.get("/add").text
    assert "press”" not in grace.get("/add").text
    # A bundle is sealed with the label's key: grace would read the house's Wi-Fi password.
    refused = grace.post("/add", label=label.qr_text, profile="press")
    assert refused.status_code == 404
    assert ada.post("/add", label=label.qr_text, profile="press").is_redirect


def test_password_of_a_viewer_shows_and_changes_nothing(site: Site, ada: Person) -> None:
    viewer = site.joined("vera", "viewer")
    label = new_label()
    ada.post("/add", label=label.qr_text, profile="press")
    page = f"/devices/{label.device_id}"
    assert viewer.get(page).status_code == 200
    assert "Change" not in said(viewer.get(page).text)
    for path in ("/name", "/window", "/by-hand", "/hand-over", "/remove", "/password", "/account"):
        assert viewer.post(page + path, name="x", password=PASSWORD).status_code == 403, path
    for path in ("/by-hand", "/bundle", "/password", "/network"):
        assert viewer.get(page + path).status_code == 403, path
