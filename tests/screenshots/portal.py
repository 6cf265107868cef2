# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`python -m tests.screenshots.portal`: the portal's pages as people see them, into docs/portal/.

With names (`account overview`) it takes those alone.

Servers and devices are those of the tests, with a made-up story; nothing of it is secret.
"""

import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

from playwright.sync_api import Browser, Page

from muster_server.document import compact_json
from muster_server.label import Label
from muster_server.service_client import Fetched
from muster_server.store.engine import database_url
from muster_server.store.webhooks import Delivery
from tests.host_server.config_server.field import Device, open_field
from tests.host_server.portal.pages.site import PASSWORD, Person, Site, opened
from tests.programs import chromium
from tests.screenshots import house

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "portal"
_SIZES: dict[str, Any] = {
    "phone": {"width": 390, "height": 844},
    "desk": {"width": 1200, "height": 800},
}
_WIFI = {"profile": "new", "ssid": "home", "password": "not of this world"}
_IDS = ("CELLAR-1", "ATTIC-2", "BARN-3", "SHED-4")
_LABELS = [Label(name, bytes([n]) * 20) for n, name in enumerate(_IDS)]
_HEARD = [["aG9tZS0yRw", 6, -48, 3], ["aG9tZQ", 11, -61, 3], ["Z3Vlc3Q", 1, -70, 0]]
_WAIT_MS = 20_000


@dataclass(frozen=True)
class Shot:
    """A page, by the name of its picture; `act` does something before it is taken."""

    name: str
    path: str
    who: str = "grace"  # nobody: a stranger
    act: Callable[[Page], None] = lambda page: None


def set_up_app(page: Page) -> None:
    """Begin to set up an app for one-time codes; its secret is of nobody."""
    form = page.locator("form[action='/account/second/app']")
    form.locator("input[type=password]").fill(PASSWORD)
    form.get_by_role("button", name="Set up the app").click()
    page.get_by_role("heading", name="Set up the app").wait_for()


SHOTS = (
    Shot("sign-in", "/sign-in", "nobody"),
    Shot("join", "/join#mst_0aJx…", "nobody"),
    Shot("devices", "/devices"),
    Shot("add", f"/add#{_LABELS[1].qr_text}"),
    Shot("live-press", "/devices/ATTIC-2/live"),
    Shot("live-failed", "/devices/BARN-3/live"),
    Shot("live-works", "/devices/CELLAR-1/live"),
    Shot("password", "/devices/BARN-3/password"),
    Shot("network", "/devices/BARN-3/network"),
    Shot("device", "/devices/CELLAR-1"),
    Shot("by-hand", "/devices/SHED-4/by-hand"),
    Shot("hand-over", "/devices/CELLAR-1/hand-over"),
    Shot("overview", "/overview?step=8"),
    Shot("take-over", "/take-over"),
    Shot("account", "/account"),
    Shot("second-factors", "/account/second"),
    Shot("second-factors-app", "/account/second", act=set_up_app),
    Shot("people", "/people", "ada"),
    Shot("settings", "/settings", "ada"),
    Shot("setting", "/settings/press", "ada"),
    Shot("audit", "/audit", "ada"),
    Shot("house", "/devices", "ada"),
    Shot("several", "/several", "ada"),
    Shot("many", "/many", "ada"),
    Shot("task", "/tasks/TASK", "ada"),
    Shot("labels", "/labels", "ada"),
    Shot("prepare", "/prepare", "ada"),
    Shot("versions", "/settings/lathe/versions", "ada"),
    Shot("difference", "/settings/lathe/difference?old=1&new=2", "ada"),
    Shot("rollout", "/rollouts/ROLLOUT", "ada"),
    Shot("wifi-change", "/settings/press/wifi", "ada"),
    Shot("webhooks", "/webhooks", "ada"),
)


def told(site: Site) -> dict[str, Person]:
    """Tell the story: a device at work, one that waits, and one whose Wi-Fi password is wrong."""
    site.clock.now = site.field.clock()
    ada = site.joined("ada", "administrator")
    grace = site.joined("grace", "owner")
    for label, name in zip(_LABELS, ("cellar", "attic", "barn", "shed"), strict=True):
        answer = grace.post("/add", label=label.qr_text, name=name, **_WIFI)
        if not answer.is_redirect:
            raise SystemExit(answer.text)
    cellar, _, barn, _ = (Device(site.field, label) for label in _LABELS)
    cellar.onboard()
    barn.sync()
    last = {"config": 1, "step": 8, "code": "wifi_auth", "detail": "home: password refused"}
    barn.sync(scan=_HEARD, last=last)
    grace.post("/devices/SHED-4/by-hand")
    tell_of_a_month(site)
    return {"ada": ada, "grace": grace}


def add_webhook(site: Site, ada: Person) -> None:
    """A webhook that took one message and waits with another; nothing is sent to it."""
    events = {"device.failed": "yes", "device.label_copied": "yes"}
    page = ada.post("/webhooks", url="https://hooks.example.org/muster", **events)
    if not page.ok:
        raise SystemExit(page.text)
    now = site.clock()
    with site.people.store.transaction() as records:
        (hook,) = records.webhooks.of("admin")
        for n, (state, outcome) in enumerate((("delivered", "HTTP 204"), ("waiting", "HTTP 503"))):
            records.webhooks.put(
                Delivery(
                    f"msg_{n}",
                    hook.id,
                    "device.failed",
                    "{}",
                    now - 900 + 600 * n,
                    state,
                    now + 86400,
                    tries=1 + n,
                    outcome=outcome,
                )
            )


def tell_of_a_month(site: Site) -> None:
    """Onboardings of thirty days, some of which failed."""
    with site.field.store.transaction() as records:
        for day in range(30):
            at = site.field.clock() - day * 86400.0
            good = 3 + (day * 7) % 9
            ended = [(step, "ok", 400 * step) for step in range(3, 10) for _ in range(good)]
            codes = ("wifi_auth", "wifi_auth", "wifi_no_ap", "dhcp_timeout")[: day % 5]
            ended += [(8, code, 9000) for code in codes]
            records.tallies.add(site.owner_of("grace"), at, ended)


def readings(now: float) -> Fetched:
    """The platform's answer: a temperature every five minutes."""
    values = [18.2 + ((n * 7) % 5) / 4 + n / 20 for n in range(40)]
    found = [
        {
            "ri": str(n),
            "ct": datetime.fromtimestamp(now - (40 - n) * 300, UTC).strftime("%Y%m%dT%H%M%S"),
            "con": compact_json({"name": "temperature", "value": round(value, 2)}),
        }
        for n, value in enumerate(values)
    ]
    body = compact_json({"m2m:cnt": {"m2m:cin": found}}).encode()
    return Fetched(200, {"X-M2M-RSC": "2000"}, body)


def take(
    browser: Browser,
    site: Site,
    people: dict[str, Person],
    names: dict[str, str],
    wanted: list[str],
) -> None:
    """Take each page, or those wanted, on phone and desk, light and dark."""
    for size, viewport in _SIZES.items():
        for scheme in ("light", "dark"):
            context = browser.new_context(
                viewport=viewport,
                locale="en-GB",
                color_scheme=scheme,
                reduced_motion="reduce",
                timezone_id="Europe/Berlin",
            )
            context.set_default_timeout(_WAIT_MS)
            page = context.new_page()
            for shot in SHOTS:
                if wanted and shot.name not in wanted:
                    continue
                context.clear_cookies()
                if shot.who in people:
                    cookie = {"name": "muster", "value": people[shot.who].cookie, "url": site.url}
                    context.add_cookies([cookie])  # type: ignore[list-item]
                page.goto("about:blank")
                path = shot.path
                for name, value in names.items():
                    path = path.replace(name, value)
                page.goto(site.url + path, wait_until="load")
                shot.act(page)
                picture = FOLDER / f"{shot.name}-{size}-{scheme}.png"
                page.screenshot(path=picture, full_page=True)
            context.close()


def main() -> None:
    """Write all pictures anew."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with open_field(database_url(folder, "config")) as place, opened(place, folder) as site:
            people = told(site)
            names = house.told(site)
            add_webhook(site, people["ada"])
            answer = readings(place.clock())
            told_so = patch("muster_server.config_server.instances.fetch", lambda *_, **__: answer)
            with told_so, chromium.browser() as browser:
                take(browser, site, people, names, sys.argv[1:])


if __name__ == "__main__":
    main()
