# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A bare board becomes a device in a browser, and onboards with the label it was given.

The browser's Web Serial is a stand-in that leads to an emulated board; the rest is what an
operator has: a portal with the firmware that `muster-unit pack` has written, and esptool-js.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from muster_harness.cli import main as muster_unit
from muster_harness.deploy.firmware import deploy_firmware
from muster_harness.deploy.labels import Label, parse_label
from muster_harness.units.development_board import DevelopmentBoard
from tests import secrecy
from tests.programs import chromium
from tests.programs.web_serial import Cable
from tests.system.story import ROOT, Story
from tests.system.test_portal_pages import join

_STEP_MS = 60_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=_STEP_MS)
    with chromium.browser() as browser:
        yield browser


@pytest.fixture(autouse=True)
def kit(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A firmware for the portal, with something that is taken for MicroPython's image."""
    folder = tmp_path_factory.mktemp("kit")
    image = folder / "generic.image"
    image.write_bytes(b"\xe9\x03\x02\x20" + bytes(range(256)) * 64)
    words = ["pack", str(folder), "--board", "EMULATED", "--board", "ESP32_GENERIC_S3"]
    assert muster_unit([*words, "--image", f"EMULATED={image}"]) == 0
    monkeypatch.setenv("MUSTER_FIRMWARE", str(folder))
    return folder


@pytest.fixture
def cable(story: Story) -> Iterator[Cable]:
    board = DevelopmentBoard(story.board, is_flashed=False)
    yield Cable(board)
    board.close()


@pytest.fixture
def page(story: Story, browser: Browser, cable: Cable) -> Iterator[Page]:
    """The page, at the desk of the administrator, with a blank board on the cable."""
    story.servers.wait_ready()
    context = browser.new_context(viewport={"width": 1200, "height": 900}, locale="en-GB")
    context.set_default_timeout(_STEP_MS)
    page = context.new_page()
    cable.plug_into(page)
    link = (story.servers.data / "first-administrator-link").read_text().strip()
    secrecy.hide(link.partition("#")[2])
    join(page, link, "ada")
    page.goto(story.servers.portal_url + "/prepare")
    yield page
    context.close()


_WRITE = """async (code) => {
  const [port] = await navigator.serial.getPorts();
  const line = await SerialLine.open(port);
  try {
    const repl = new RawREPL(line);
    await repl.enter();
    await repl.exec(code);
  } finally {
    await line.close();
  }
}"""


def said(page: Page, step: str) -> Any:
    return expect(page.locator(f"[data-said={step}]"))


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).click()


def choose_port(page: Page) -> None:
    press(page, "Choose its port")
    said(page, "choose").to_contain_text("The port is chosen.")


def flash(page: Page, cable: Cable) -> None:
    """Another chip than was chosen; then the right one."""
    page.get_by_label("What it is").select_option("ESP32_GENERIC_S3")
    other: Any = {"name": "s3.bin", "mimeType": "", "buffer": b"\xe9" * 64}
    page.get_by_label(re.compile("Image")).set_input_files(other)
    press(page, "Write MicroPython")
    said(page, "flash").to_contain_text("it says: ESP32.")
    page.get_by_label(re.compile("Image")).set_input_files([])
    page.get_by_label("What it is").select_option("EMULATED")
    page.get_by_label(re.compile("Erase everything")).check()
    press(page, "Write MicroPython")
    said(page, "flash").to_contain_text("MicroPython is there, and verified.")
    assert bytes(cable.board.rom.flash[0x1000:0x1004]) == b"\xe9\x03\x02\x20"


def deploy(page: Page, cable: Cable) -> None:
    """Past a program of somebody else, and with the cable pulled in the middle."""
    page.evaluate(_WRITE, "f = open('/main.py', 'w')\nf.write('print(1)')\nf.close()")
    press(page, "Send the firmware")
    said(page, "deploy").to_contain_text("or changed them: /main.py.")
    page.get_by_label("Replace these files").check()
    cable.pull_after(60_000)
    press(page, "Send the firmware")
    said(page, "deploy").to_contain_text("The board was unplugged.")
    cable.plug()
    choose_port(page)
    before = cable.written
    press(page, "Send the firmware")
    said(page, "deploy").to_contain_text("The firmware is there:")
    assert cable.written - before < 110_000  # what had arrived was not sent again
    press(page, "Send the firmware")
    said(page, "deploy").to_contain_text("nothing was sent")


def give_label(page: Page, cable: Cable) -> Label:
    """Cut off in the middle, done, and done anew."""
    cable.pull_after(450)
    press(page, "Give it a label")
    said(page, "label").to_contain_text("The board was unplugged.")
    cable.plug()
    choose_port(page)
    press(page, "Give it a label")
    said(page, "label").to_contain_text("now, and begins to work")
    former = printed(page)
    press(page, "Give it a label")
    said(page, "label").to_contain_text(f"The board is {former.device_id} already.")
    press(page, "Make a new label for it")
    said(page, "label").to_contain_text("now, and begins to work")
    label = printed(page)
    assert label.device_id == former.device_id and label.secret != former.secret
    return label


def printed(page: Page) -> Label:
    """The one label that the page would print."""
    heading, text = page.locator("#labels").input_value().splitlines()
    assert heading == "label"
    label = parse_label(text)
    secrecy.hide_label(label.text, label.secret)
    return label


def test_a_bare_board_becomes_a_device_and_onboards(
    story: Story, page: Page, cable: Cable
) -> None:
    complaints: list[str] = []
    addresses: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("request", lambda request: addresses.append(request.url))
    press(page, "Write MicroPython")
    said(page, "flash").to_contain_text("Choose the port in step 1 first.")
    choose_port(page)
    press(page, "Send the firmware")
    said(page, "deploy").to_contain_text("if it has no MicroPython yet, do step 2 first")
    flash(page, cable)
    press(page, "Give it a label")
    said(page, "label").to_contain_text("Do step 3 first.")
    deploy(page, cable)
    label = give_label(page, cable)
    with page.expect_download() as sheet:
        press(page, "Make the PDF")
    assert Path(sheet.value.path()).read_bytes().startswith(b"%PDF")
    assert complaints == []
    assert not any(label.text[-36:] in address for address in addresses)
    assert {address.split("/")[2] for address in addresses} == {
        story.servers.portal_url.split("/")[2]
    }

    # It is a device: its owner adds it, presses its button, and it registers.
    story.add_profile()
    with page.expect_popup() as popup:
        page.get_by_role("link", name="Add the device here").click()
    adding = popup.value
    adding.get_by_role("radio", name=re.compile("demo")).check()
    press(adding, "Add the device")
    expect(adding.locator("#live")).to_contain_text("press its button once")
    story.press()
    story.committed()
    assert story.portal("GET", f"/v1/devices/{label.device_id}")["state"] == "registered"
    # To the command line it is a board that it has prepared itself.
    story.board.power_off()
    story.board.power_on()
    cable.board.close()
    with story.board.released() as port:
        assert deploy_firmware(port, ROOT / "firmware").sent == ()
