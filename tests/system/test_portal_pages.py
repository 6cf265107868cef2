# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The pages in a real browser, from the first link to the first reading, against real servers and
an emulated board.
"""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests import secrecy
from tests.programs import chromium
from tests.system.story import Label, Story

_ANSWER_MS = 60_000
_WRONG = "wrong horse battery"
_OWN = "four plain words here"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=_ANSWER_MS)
    with chromium.browser() as browser:
        yield browser


def phone(browser: Browser, *, script: bool = True) -> BrowserContext:
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, locale="en-GB", java_script_enabled=script
    )
    context.set_default_timeout(_ANSWER_MS)
    return context


def join(page: Page, link: str, name: str) -> None:
    page.goto(link)
    if not page.get_by_label("Code of the invitation").input_value():  # without script
        page.get_by_label("Code of the invitation").fill(link.partition("#")[2])
    page.get_by_label("Your name").fill(name)
    page.get_by_label(re.compile("Password")).fill(_OWN)
    page.get_by_role("button", name="Begin").click()
    page.get_by_role("heading", name="Devices").wait_for()


def owner(story: Story, browser: Browser) -> Page:
    """The administrator comes in by the first link, and the owner by the administrator's."""
    link = (story.servers.data / "first-administrator-link").read_text().strip()
    secrecy.hide(link.partition("#")[2])
    administrator = phone(browser).new_page()
    join(administrator, link, "ada")
    administrator.get_by_role("link", name="People").click()
    administrator.get_by_role("radio", name=re.compile("^owner")).check()
    administrator.get_by_role("button", name="Make a link").click()
    invitation = administrator.locator("#link").inner_text()
    secrecy.hide(invitation.partition("#")[2])
    administrator.context.close()
    page = phone(browser).new_page()
    join(page, invitation, "grace")
    return page


@pytest.fixture
def labelled(story: Story) -> Label:
    """Servers with settings of the house, and a board with its label that nobody has added."""
    story.servers.wait_ready()
    label = story.make_label()
    story.write_label(label)
    story.add_profile()
    secrecy.hide(_WRONG)
    return label


def test_an_owner_adds_a_device_corrects_the_password_and_sees_its_first_reading(
    story: Story, labelled: Label, browser: Browser
) -> None:
    page = owner(story, browser)
    try:
        # The label's own link, as a phone's camera app opens it.
        page.goto(f"{story.servers.portal_url}/add#{labelled.text}")
        assert page.url.endswith("/add")  # the secret has left the address
        page.get_by_label("Name of the Wi-Fi").fill("factory")
        page.get_by_label(re.compile("^Password of the Wi-Fi")).fill(_WRONG)
        page.get_by_role("button", name="Add the device").click()
        live = page.locator("#live")
        expect(live).to_contain_text("press its button once")
        story.switch_on()
        story.press()
        expect(live).to_contain_text("The Wi-Fi password for “factory” was refused.")
        expect(page.locator(".led.failed")).to_be_visible()
        page.get_by_role("link", name="Type the password again").click()
        page.get_by_label("Password").fill(story.password)
        page.get_by_role("button", name="Save the password").click()
        story.press()
        expect(live).to_contain_text("Its newest reading")
        expect(live.locator(".value")).to_have_text(re.compile(r"\d+"))
        page.get_by_role("link", name="To the device", exact=True).click()
        expect(page.get_by_role("table").first).to_contain_text("heap_free")
        assert [labelled.device_id] == mine(page)
    finally:
        page.context.close()
    # The house does not see it: it is the owner's.
    assert story.portal("GET", "/v1/devices")["devices"] == []


def mine(page: Page) -> list[str]:
    page.get_by_role("link", name="Devices").click()
    return [re.split(r"\s", text)[0] for text in page.locator("a.item").all_inner_texts()]
