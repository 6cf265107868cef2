# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The setup network's page in a real browser, with scripts switched off, on the emulated board."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.programs import chromium
from tests.system.carried import DEVICE_ID, SECRET, Carried, OwnNetwork
from tests.system.test_setup_network import joined, press
from tests.wire.receipts import receipt

_ANSWER_MS = 20_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Fails where there is none: the page has to be seen in one."""
    with chromium.browser() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(java_script_enabled=False)
    context.set_default_timeout(_ANSWER_MS)
    yield context.new_page()
    context.close()


@pytest.fixture
def blank(own_network: OwnNetwork, tmp_path: Path, labelled_flash: Path) -> Iterator[Carried]:
    with Carried(own_network, tmp_path / "board", labelled_flash) as carried:
        carried.board.power_on()
        carried.board.expect(rb"step 4 wifi_no_ap", 20)
        press(carried, 2, rb"button twice")
        yield carried


def test_a_person_uploads_the_file_and_reads_the_receipt(
    blank: Carried, page: Page, tmp_path: Path
) -> None:
    text = blank.network.bundle()
    file = tmp_path / f"{DEVICE_ID}.muster"
    file.write_text(text + "\n")
    with joined(blank) as phone:
        page.goto(phone.url())
        assert page.title() == page.locator("h1").inner_text() == DEVICE_ID
        page.set_input_files("input[type=file]", file)
        page.get_by_role("button", name="Set up this device").click()
        assert "version 1 is for this device and whole" in page.locator("#taken").inner_text()
    assert blank.outcome(text) == (1, "ok")
    with joined(blank) as phone:
        page.goto(phone.url())
        outcome = page.locator("#outcome").inner_text()
        assert "The device works" in outcome and "Version 1 is applied" in outcome
        proof = receipt(DEVICE_ID, SECRET, 1, "ok", text)
        assert page.locator(".receipt").inner_text() == f"{proof[:4]} {proof[4:]}"


def test_a_person_pastes_a_wrong_text_and_then_the_right_one(blank: Carried, page: Page) -> None:
    text = blank.network.bundle()
    with joined(blank) as phone:
        page.goto(phone.url())
        page.get_by_role("button", name="Set up this device").click()
        assert "Nothing was sent" in page.locator("#refused").inner_text()
        page.fill("textarea", text[:-7])
        page.get_by_role("button", name="Set up this device").click()
        page.get_by_text("That was not taken").wait_for()
        refused = page.locator("#refused").inner_text()
        assert refused.index("not a whole") < refused.index("config_invalid: bundle")
        # As a mail program wraps it.
        page.fill("textarea", "\n".join(text[i : i + 72] for i in range(0, len(text), 72)))
        page.get_by_role("button", name="Set up this device").click()
        page.locator("#taken").wait_for()
    assert blank.outcome(text) == (1, "ok")


def test_a_file_of_a_megabyte_is_answered(blank: Carried, page: Page, tmp_path: Path) -> None:
    file = tmp_path / "film.muster"
    file.write_bytes(b"g" * 1_000_000)
    with joined(blank) as phone:
        page.goto(phone.url())
        page.set_input_files("input[type=file]", file)
        with page.expect_navigation() as answered:
            page.get_by_role("button", name="Set up this device").click()
        response = answered.value
        assert response is not None and response.status == 413
        page.goto(phone.url())
        assert page.get_by_role("button", name="Set up this device").is_visible()


def test_it_fits_a_phone_by_day_and_by_night(blank: Carried, browser: Browser) -> None:
    seen = {}
    with joined(blank) as phone:
        for scheme in ("light", "dark"):
            context = browser.new_context(
                viewport={"width": 390, "height": 780},
                color_scheme="dark" if scheme == "dark" else "light",
            )
            page = context.new_page()
            page.goto(phone.url())
            controls = page.locator("input, textarea, button").all()
            boxes = [box for control in controls if (box := control.bounding_box())]
            assert len(boxes) == 3
            assert all(box["height"] >= 44 and box["x"] + box["width"] <= 390 for box in boxes)
            assert page.evaluate("document.documentElement.scrollWidth") == 390
            seen[scheme] = page.evaluate(_COLOURS)
            context.close()
    for ground, text in seen.values():
        assert abs(_brightness(ground) - _brightness(text)) > 500
    assert _brightness(seen["light"][0]) > _brightness(seen["dark"][0])


_COLOURS = "(s => [s.backgroundColor, s.color])(getComputedStyle(document.body))"


def _brightness(colour: str) -> int:
    """The sum of what stands in, e.g., "rgb(16, 21, 27)"."""
    return sum(int(part) for part in colour[4:-1].split(","))
