# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""How many taps does it take from the sign-in to a device at work? docs/portal.md says so."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from muster_server.label import Label, new_label
from tests import secrecy
from tests.host_server.config_server.field import Device
from tests.host_server.portal.pages.site import PASSWORD, Person, Site
from tests.host_server.portal.pages.test_camera import film
from tests.programs import chromium

_ANSWER_MS = 30_000
_PHONE: Any = {"width": 390, "height": 844}
_STORYBOARD = Path(__file__).resolve().parents[4] / "docs" / "portal.md"
_MOST = 6
_WIFI = "a password that is typed"
# Each touch of the glass counts once, whatever it sets off.
_COUNT = """addEventListener("pointerdown", (event) => { if (event.isTrusted)
  localStorage.setItem("taps", 1 + Number(localStorage.getItem("taps") || 0)); }, true);"""


class Thumb:
    """A person with a phone, who has signed in and counts from then on."""

    def __init__(self, context: BrowserContext, site: Site) -> None:
        self.page: Page = context.new_page()
        self.site = site
        self.page.goto(site.url + "/sign-in")
        self.page.get_by_label("Your name").fill("grace")
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in", exact=True).click()
        self.page.get_by_role("heading", name="Devices").wait_for()
        self.begin()

    def begin(self) -> None:
        self.page.evaluate("localStorage.setItem('taps', 0)")

    @property
    def taps(self) -> int:
        return int(self.page.evaluate("Number(localStorage.getItem('taps'))"))

    def add(self) -> None:
        self.page.get_by_role("button", name="Add the device").click()
        expect(self.page.locator("#live")).to_contain_text("press its button once")

    def press(self, label: Label) -> int:
        """Press the device's button, and wait until the page says that it works: all taps."""
        Device(self.site.field, label).onboard()
        expect(self.page.locator("#live")).to_contain_text("It is at work.")
        return self.taps + 1


def told(which: str) -> int:
    """The number that the storyboard says."""
    found = re.search(rf"\*\*(\w+) taps\*\* {which}", _STORYBOARD.read_text())
    assert found, which
    return ("no", "one", "two", "three", "four", "five", "six").index(found[1].lower())


def test_first_device_takes_six_taps_and_typing_and_the_next_ones_take_less(
    site: Site, grace: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = new_label(), new_label()
    for label in (first, second):
        secrecy.hide_label(label.qr_text, label.secret)
    with chromium.browser(
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={film(tmp_path / 'label.y4m', first.qr_text)}",
    ) as browser:
        context = browser.new_context(viewport=_PHONE, locale="en-GB")
        context.set_default_timeout(_ANSWER_MS)
        context.add_init_script(_COUNT)
        expect.set_options(timeout=_ANSWER_MS)
        thumb = Thumb(context, site)
        page = thumb.page
        page.get_by_role("link", name="Add a device").first.click()
        page.get_by_role("button", name="Scan with the camera").click()
        expect(page.locator("#camera-said")).to_have_text("The label is read.")
        page.get_by_label("Name of the Wi-Fi").click()
        page.keyboard.type("home")
        page.get_by_label(re.compile("^Password of the Wi-Fi")).click()
        page.keyboard.type(_WIFI)
        thumb.add()
        taps = thumb.press(first)
        assert taps == told("the first time") <= _MOST
        # From then on the network is known; the phone's camera app opens the label's link.
        thumb.begin()
        page.goto(f"{site.url}/add#{second.qr_text}")
        thumb.add()
        taps = thumb.press(second) + 1  # on the link, in the camera app
        assert taps == told("from then on") <= _MOST
        context.close()
