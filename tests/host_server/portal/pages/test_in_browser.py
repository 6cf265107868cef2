# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The pages in a real browser: for everybody, on every screen, and without script."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Response, expect

from muster_server.label import Label, new_label
from tests.host_server.config_server.field import Device
from tests.host_server.portal.pages.site import PASSWORD, Person, Site
from tests.programs import axe

_HEAVIEST_BYTES = 60 * 1024
WIFI = {"profile": "new", "ssid": "home", "password": "a password of mine"}


@pytest.fixture
def label(grace: Person) -> Label:
    """The label of a device that grace has added."""
    label = new_label()
    assert grace.post("/add", label=label.qr_text, name="cellar", **WIFI).is_redirect
    return label


class Seen:
    """Answers to what a page asks for, and complaints in the browser's console."""

    def __init__(self, page: Page) -> None:
        self.answers: list[Response] = []
        self.complaints: list[str] = []
        page.on("response", lambda answer: self.answers.append(answer))
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))


def fail(site: Site, label: Label, code: str = "wifi_auth") -> None:
    device = Device(site.field, label)
    device.sync()
    heard = [["aG9tZS0yRw", 6, -48, 3], ["Z3Vlc3Q", 1, -70, 0]]
    device.sync(scan=heard, last={"config": 1, "step": 8, "code": code, "detail": "home: 202"})


NOT_THERE = ("/nowhere", "/devices/NOBODY")


def all_pages(device_id: str) -> list[str]:
    home = f"/devices/{device_id}"
    parts = ("", "/live", "/password", "/network", "/by-hand", "/hand-over", "/remove")
    return [
        *("/devices", "/add", "/account", "/account/second", "/people"),
        *("/take-over", "/overview", "/overview?step=8"),
        *NOT_THERE,
        *(home + part for part in parts),
    ]


HOUSE = (
    *("/settings", "/settings/new", "/settings/press", "/audit", "/people"),
    *("/many", "/labels", "/several", "/settings/press/versions", "/settings/press/wifi"),
    *("/webhooks", "/prepare"),
)


def test_no_page_keeps_anybody_out(
    site: Site, ada: Person, grace: Person, label: Label, opened: Callable[..., Page]
) -> None:
    fail(site, label)
    grace.post(f"/devices/{label.device_id}/by-hand")
    last = {"config": 1, "step": 8, "code": "wifi_auth", "detail": "home"}
    Device(site.field, label).sync(timeline=[[8, "wifi_auth", 700]], last=last)
    found = []
    for dark in (False, True):
        page = opened(None, dark=dark)
        for path in ("/sign-in", "/join"):
            page.goto(site.url + path)
            found += [f"{path}: {line}" for line in axe.violations(page)]
        page = opened(ada, dark=dark)
        for path in HOUSE:
            page.goto(site.url + path)
            found += [f"{path}, dark {dark}: {line}" for line in axe.violations(page)]
        page = opened(grace, dark=dark)
        for path in all_pages(label.device_id):
            page.goto(site.url + path)
            if page.locator("main").count():  # the API's own answer is no page
                found += [f"{path}, dark {dark}: {line}" for line in axe.violations(page)]
    assert found == []


def test_pages_are_light_ask_nobody_else_and_say_nothing_to_the_console(
    site: Site, grace: Person, label: Label, opened: Callable[..., Page]
) -> None:
    fail(site, label)
    for path in (path for path in all_pages(label.device_id) if path not in NOT_THERE):
        page = opened(grace)
        seen = Seen(page)
        page.goto(site.url + path, wait_until="load")
        assert {answer.url.split("/")[2] for answer in seen.answers} == {site.url.split("/")[2]}
        weight = sum(len(answer.body()) for answer in seen.answers if "stream" not in answer.url)
        assert weight <= _HEAVIEST_BYTES, (path, weight)
        assert seen.complaints == [], path


def test_every_control_is_large_enough_and_nothing_hangs_over_the_edge(
    site: Site, ada: Person, grace: Person, label: Label, opened: Callable[..., Page]
) -> None:
    fail(site, label)
    hers, houses = opened(grace), opened(ada)
    places = [(hers, path) for path in all_pages(label.device_id)]
    for page, path in [*places, *((houses, path) for path in HOUSE)]:
        page.goto(site.url + path)
        small = page.evaluate(
            """() => [...document.querySelectorAll("button, .button, select, textarea, summary,"
              + " label.choice, nav a,"
              + " input:not([type=hidden]):not([type=radio]):not([type=checkbox])")]
              .filter((e) => e.getClientRects().length && e.getBoundingClientRect().height < 43.9)
              .map((e) => e.outerHTML)"""
        )
        assert small == [], path
        wide = page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, path


def test_a_device_is_added_and_mended_without_script(
    site: Site, grace: Person, opened: Callable[..., Page]
) -> None:
    label = new_label()
    page = opened(grace, script=False)
    page.goto(site.url + "/add")
    page.get_by_label(re.compile("Or type it")).fill(f"{label.device_id} {label.grouped}")
    page.get_by_label("Name of the Wi-Fi").fill("home")
    page.get_by_label(re.compile("Password of the Wi-Fi")).fill(WIFI["password"])
    page.get_by_role("button", name="Add the device").click()
    expect(page.locator("#live")).to_contain_text("press its button once")
    fail(site, label)
    # It loads itself again.
    expect(page.locator("#live")).to_contain_text("was refused")
    page.get_by_role("link", name="Type the password again").click()
    page.get_by_label("Password").fill("the right one now")
    page.get_by_role("button", name="Save the password").click()
    expect(page.locator("#live")).to_contain_text("It takes the change when it next asks")


def test_live_page_follows_by_itself_and_ends_with_the_session(
    site: Site, grace: Person, label: Label, opened: Callable[..., Page]
) -> None:
    page = opened(grace)
    page.goto(f"{site.url}/devices/{label.device_id}/live")
    page.evaluate("window.isTheSame = true")
    expect(page.locator("#live")).to_contain_text("press its button once")
    fail(site, label)
    expect(page.locator("#live")).to_contain_text("The Wi-Fi password for “home” was refused.")
    assert page.evaluate("window.isTheSame")
    grace.post("/sign-out")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_link_of_a_label_survives_the_sign_in_and_leaves_no_secret_in_an_address(
    site: Site, grace: Person, opened: Callable[..., Page]
) -> None:
    label = new_label()
    page = opened(None)
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    page.goto(f"{site.url}/add#{label.qr_text}")
    page.get_by_label("Your name").fill("grace")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_label(re.compile("Or type it"))).to_have_value(label.qr_text)
    assert page.url == site.url + "/add"
    assert not any(label.qr_text[-36:] in address.partition("#")[0] for address in addresses)


def test_keyboard_alone_signs_in(site: Site, ada: Person, opened: Callable[..., Page]) -> None:
    page = opened(None)
    page.goto(site.url + "/sign-in")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="To the content")).to_be_focused()
    for _ in range(2):
        page.keyboard.press("Tab")
    page.keyboard.type("ada")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Devices")).to_be_visible()
