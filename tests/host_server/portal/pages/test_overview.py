# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does the overview show how an owner's devices are, and nothing of others?"""

from typing import Any

from muster_server.label import new_label
from muster_server.portal.pages.overview import HEIGHT, WIDTH, bars_of
from tests.host_server.config_server.field import Device
from tests.host_server.portal.pages.site import Person, Site

WIFI = {"profile": "new", "ssid": "home", "password": "a password of mine"}
BEGUN = [[3, "ok", 900], [4, "ok", 1500], [5, "ok", 40], [6, "ok", 60], [7, "ok", 10]]


def test_overview_tells_of_ones_own_devices(site: Site, ada: Person, grace: Person) -> None:
    label = new_label()
    assert grace.post("/add", label=label.qr_text, name="cellar", **WIFI).is_redirect
    device = Device(site.field, label)
    device.sync(timeline=[])
    last = {"config": 1, "step": 8, "code": "wifi_auth", "detail": "home: 202"}
    device.sync(last=last, timeline=[*BEGUN, [8, "wifi_auth", 7000]])
    hers = grace.get("/overview?step=8").text
    assert "Devices: 1." in hers and "wifi_auth" in hers and "The Wi-Fi password" in hers
    assert '<rect class="failed"' in hers and '<rect class="ok"' not in hers
    assert '<rect class="ok"' in grace.get("/overview?step=3").text
    assert "<td>1.5 s</td>" in hers  # step 4, within a third
    others = ada.get("/overview?step=8").text
    assert "Devices: 0." in others and "wifi_auth" not in others and "<rect" not in others
    assert grace.get("/overview?step=<script>").status_code == 200


def test_bars_are_in_proportion_and_within_the_picture() -> None:
    days: list[dict[str, Any]] = [
        {"day": "2026-11-23", "steps": []},
        {"day": "2026-11-24", "steps": [{"step": 8, "ok": 3, "failed": 1, "median_ms": 5}]},
        {"day": "2026-11-25", "steps": [{"step": 8, "ok": 2, "failed": 0, "median_ms": 5}]},
    ]
    empty, busiest, other = bars_of(days, 8)
    assert (empty.ok, empty.failed, empty.ok_height) == (0, 0, 0)
    assert busiest.ok_height + busiest.failed_height == HEIGHT - 2
    assert busiest.ok_height == 3 * busiest.failed_height
    assert other.ok_height == 2 * busiest.failed_height
    assert other.x + other.width <= WIDTH
    assert all(bar.ok_height == 0 for bar in bars_of(days, 9))
