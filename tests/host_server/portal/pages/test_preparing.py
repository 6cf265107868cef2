# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Who may prepare boards, with what, and what does the page say where it cannot? That it does is
tests/system/test_prepared_board.py.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from muster_server.label import parse_label
from tests import secrecy
from tests.host_server.config_server.field import Field
from tests.host_server.portal.pages.site import KIT, Person, Site
from tests.host_server.portal.pages.site import opened as site_opened
from tests.programs import axe
from tests.programs.web_serial import FACE

_WITHOUT = "delete Navigator.prototype.serial"


@pytest.mark.parametrize("role", ["owner", "viewer"])
def test_those_who_do_not_manage_get_neither_page_nor_firmware_nor_labels(
    site: Site, ada: Person, role: str
) -> None:
    person = site.joined("eve", role)
    for path in ("", f"/{KIT.digest}/firmware.json", f"/{KIT.digest}/ESP32_GENERIC.bin"):
        assert person.get("/prepare" + path).status_code == 403, path
    assert person.post("/prepare/label").status_code == 403


def test_operators_get_the_firmware_and_the_image(site: Site, ada: Person) -> None:
    person = site.joined("otto", "operator")
    firmware = person.get(f"/prepare/{KIT.digest}/firmware.json")
    assert firmware.content == KIT.description
    assert firmware.headers["Cache-Control"] == "no-store"
    image = person.get(f"/prepare/{KIT.digest}/ESP32_GENERIC.bin")
    assert image.content == KIT.images["ESP32_GENERIC"]
    assert person.get(f"/prepare/{KIT.digest}/OTHER.bin").status_code == 404


def test_a_label_is_made_noted_by_its_id_alone_and_not_kept(
    site: Site, ada: Person, tmp_path: Path
) -> None:
    answer = ada.post("/prepare/label")
    label = parse_label(answer.json()["label"])
    secrecy.hide_label(label.qr_text, label.secret)
    assert answer.headers["Cache-Control"] == "no-store"
    assert bytes.fromhex(answer.json()["secret"]) == label.secret
    audit = ada.get("/audit").text
    assert "make label" in audit and label.device_id in audit
    for path in tmp_path.glob("*.sqlite3"):
        with sqlite3.connect(path) as database:
            assert label.qr_text[-36:] not in "\n".join(database.iterdump())
    again = ada.post("/prepare/label", device_id=label.device_id.lower()).json()
    assert again["device_id"] == label.device_id and again["secret"] != label.secret.hex()


def test_an_id_that_is_none_is_refused(ada: Person) -> None:
    assert ada.post("/prepare/label", device_id="<b>").status_code == 422


def test_labels_of_the_page_become_a_sheet(ada: Person) -> None:
    text = str(ada.post("/prepare/label").json()["label"])
    sheet = ada.post("/labels", csv=f"label\n{text}", size="avery-l7160", first="1")
    assert sheet.content.startswith(b"%PDF"), sheet.text


def test_without_firmware_the_page_says_how_the_portal_gets_it(
    place: Field, tmp_path: Path
) -> None:
    with site_opened(place, tmp_path, kit=None) as site:
        ada = site.joined("ada", "administrator")
        page = ada.get("/prepare").text
        assert "muster serve --firmware" in page and "serial_port.js" not in page
        assert ada.get("/prepare/x/firmware.json").status_code == 404


def test_a_browser_without_web_serial_is_told_which_have_it(
    site: Site, ada: Person, opened: Callable[..., Page]
) -> None:
    page = opened(ada)
    page.add_init_script(_WITHOUT)
    page.goto(site.url + "/prepare")
    expect(page.locator("#cannot")).to_contain_text("Chrome, Edge and Opera do")
    expect(page.locator("#prepare")).to_be_hidden()
    assert axe.violations(page) == []
    page.goto(site.url + "/prepare?lang=de")
    expect(page.locator("#cannot")).to_contain_text("Chrome, Edge und Opera tun es")


def test_without_script_the_page_shows_the_command_line(
    site: Site, ada: Person, opened: Callable[..., Page]
) -> None:
    page = opened(ada, script=False)
    page.goto(site.url + "/prepare")
    expect(page.get_by_text("This page needs script")).to_be_visible()
    page.get_by_text("At a command line", exact=True).click()
    expect(page.get_by_text("muster-unit flash")).to_be_visible()


@pytest.mark.parametrize("dark", [False, True])
def test_its_steps_keep_nobody_out_and_bring_no_loader_before_it_is_wanted(
    site: Site, ada: Person, opened: Callable[..., Page], dark: bool
) -> None:
    page = opened(ada, dark=dark)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.add_init_script(FACE.read_text())
    page.goto(site.url + "/prepare")
    page.get_by_role("button", name="Write MicroPython").press("Enter")
    expect(page.locator("[data-said=flash]")).to_contain_text("Choose the port in step 1 first.")
    expect(page.get_by_role("button", name="Write MicroPython")).to_be_focused()
    assert axe.violations(page) == []
    assert not any("esptool" in address or "firmware.json" in address for address in asked)
