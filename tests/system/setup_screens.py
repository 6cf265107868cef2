# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`make screenshots`: the setup page on a phone of 390 pixels, as docs/setup-page shows it."""

import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.flash import make_flash
from tests.programs import chromium
from tests.system.carried import Carried, OwnNetwork
from tests.system.test_setup_network import joined, press
from tests.wire import bundles

_SHOWN = Path(__file__).resolve().parents[2] / "docs" / "setup-page"
_BUTTON = "Set up this device"
_ANSWER_MS = 20_000


class Screens:
    """A phone's browser that takes pictures."""

    def __init__(self, browser: Browser, to: Path) -> None:
        self._browser = browser
        self._to = to

    def page(self, scheme: str) -> Page:
        context = self._browser.new_context(
            viewport={"width": 390, "height": 780},
            device_scale_factor=1,
            color_scheme="dark" if scheme == "dark" else "light",
            java_script_enabled=False,
            has_touch=True,
        )
        context.set_default_timeout(_ANSWER_MS)
        return context.new_page()

    def take(self, page: Page, name: str) -> None:
        page.screenshot(path=self._to / f"{name}.png", full_page=True)
        print(f"{self._to.name}/{name}.png", flush=True)


def take_all(to: Path) -> None:
    """Start, empty, refused, applied, dark and wifi, of a device that is set up."""
    to.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="muster-screens-") as made,
        OwnNetwork(Path(made) / "network") as network,
        chromium.browser() as browser,
    ):
        flash = make_flash(Path(made) / "flash")
        with Carried(network, Path(made) / "carried" / "board", flash) as carried:
            carried.write_label()
            carried.board.power_off()
            carried.board.forget_output()
            carried.board.power_on()
            carried.board.expect(rb"step 4 wifi_no_ap", 20)
            press(carried, 2, rb"button twice")
            _tour(Screens(browser, to), carried)


def _tour(screens: Screens, carried: Carried) -> None:
    page = screens.page("light")
    text = carried.network.bundle()
    with joined(carried) as phone:
        page.goto(phone.url())
        screens.take(page, "start")
        page.get_by_role("button", name=_BUTTON).click()
        page.wait_for_selector("#refused")
        screens.take(page, "empty")
        page.fill("textarea", bundles.made(protected=bundles.header("PRESS-5")))
        page.get_by_role("button", name=_BUTTON).click()
        page.wait_for_selector("#refused")
        screens.take(page, "refused")
        page.fill("textarea", text)
        page.get_by_role("button", name=_BUTTON).click()
        page.wait_for_selector("#taken")
    carried.outcome(text)
    with joined(carried) as phone:
        page.goto(phone.url())
        screens.take(page, "applied")
        dark = screens.page("dark")
        dark.goto(phone.url())
        screens.take(dark, "dark")
        page.get_by_text("Give it another configuration").click()
        page.fill("textarea", _with_local_wifi(carried.network))
        page.get_by_role("button", name=_BUTTON).click()
        page.wait_for_selector("#taken")
    carried.board.expect(rb"life committed version 2,", 60)
    with joined(carried) as phone:
        page.goto(phone.url())
        page.get_by_text("Give it another Wi-Fi network").click()
        page.select_option("select", label="factory")
        screens.take(page, "wifi")


def _with_local_wifi(network: OwnNetwork) -> str:
    policy = {"failsafe_s": 60, "sync_s": 3600, "ntp": None, "local_wifi": True}
    return network.bundle(network.config(2, policy=policy))


if __name__ == "__main__":
    take_all(_SHOWN)
