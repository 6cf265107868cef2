# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The operator's pages in a real browser: for everybody, with script and without."""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from muster_server.label import new_label
from tests import secrecy
from tests.host_server.portal.pages.site import Person, Site
from tests.programs import axe
from tests.screenshots import house


def test_no_page_of_an_operator_keeps_anybody_out(
    site: Site, ada: Person, opened: Callable[..., Page]
) -> None:
    names = house.told(site)
    versions = "/settings/lathe/versions"
    paths = (
        *(f"/tasks/{names['TASK']}", f"/rollouts/{names['ROLLOUT']}", "/settings/press/wifi"),
        *("/several?group=hall+1", "/devices?profile=lathe&behind=yes", versions),
        "/settings/lathe/difference?old=1&new=2",
        "/settings/lathe/preview?number=2&device_id=LATHE-01",
    )
    found = []
    for dark in (False, True):
        page = opened(ada, dark=dark)
        for path in paths:
            page.goto(site.url + path)
            found += [f"{path}, dark {dark}: {line}" for line in axe.violations(page)]
            wide = page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, path
    assert found == []


def test_table_is_uploaded_watched_and_added(
    site: Site, ada: Person, opened: Callable[..., Page], tmp_path: Path
) -> None:
    for script in (True, False):
        label = new_label()
        secrecy.hide_label(label.qr_text, label.secret)
        file = tmp_path / "labels.csv"
        file.write_text(f"name,label\n<b>attic</b>,{label.qr_text}\nx,MUSTER:1:A:B\n")
        page = opened(ada, script=script)
        page.goto(site.url + "/many")
        page.get_by_label("The table (CSV)").set_input_files(file)
        page.get_by_label("Settings").select_option("press")
        page.get_by_role("button", name="Look at each row").click()
        # It follows by itself.
        expect(page.locator("#progress")).to_contain_text("1 can be added")
        page.get_by_role("button", name="Add them").click()
        expect(page.locator("#progress")).to_contain_text("1 added")
        expect(page.locator("#progress")).to_contain_text("<b>attic</b>")
        page.goto(site.url + f"/devices?search={label.device_id}")
        expect(page.get_by_role("link", name="<b>attic</b>")).to_be_visible()


def test_version_goes_on_after_a_stop_without_script(
    site: Site, ada: Person, opened: Callable[..., Page]
) -> None:
    names = house.told(site)
    page = opened(ada, script=False)
    page.goto(f"{site.url}/rollouts/{names['ROLLOUT']}")
    expect(page.get_by_role("status")).to_contain_text("Failed: 1, allowed: 0")
    page.get_by_role("button", name="Go on all the same").click()
    expect(page.get_by_role("status")).to_contain_text("is under way")
    page.get_by_role("button", name="Back to version 1").click()
    expect(page.get_by_role("status")).to_contain_text("get version 1 back")
