# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The setup page opens by itself: phones look for the internet at names of their makers, and find
the device."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from muster_harness.air.visitor import Visitor
from tests.programs import chromium
from tests.system.carried import DEVICE_ID, Carried, OwnNetwork
from tests.system.test_setup_network import joined, twice

# What is asked to see whether there is an internet, and what would be the answer of one.
PROBES = {
    "Apple": ("captive.apple.com", "/hotspot-detect.html", b"Success"),
    "Android": ("connectivitycheck.gstatic.com", "/generate_204", b""),
    "Android, the other": ("www.google.com", "/gen_204", b""),
    "Windows": ("www.msftconnecttest.com", "/connecttest.txt", b"Microsoft Connect Test"),
    "Windows, the window": ("www.msftconnecttest.com", "/redirect", b""),
    "Firefox": ("detectportal.firefox.com", "/canonical.html", b"success"),
    "Firefox, the other": ("detectportal.firefox.com", "/success.txt?ipv4", b"success"),
    "GNOME": ("nmcheck.gnome.org", "/check_network_status.txt", b"NetworkManager is online"),
}


@pytest.fixture(scope="module")
def phone(
    own_network: OwnNetwork, tmp_path_factory: pytest.TempPathFactory, labelled_flash: Path
) -> Iterator[Visitor]:
    board = tmp_path_factory.mktemp("captive") / "board"
    with Carried(own_network, board, labelled_flash, heap="288K") as carried:
        twice(carried)
        with joined(carried) as phone:
            yield phone


@pytest.mark.parametrize("who", PROBES)
def test_a_phone_that_looks_for_the_internet_is_led_to_the_page(phone: Visitor, who: str) -> None:
    host, path, online = PROBES[who]
    assert phone.resolve(host) == phone.network.gateway
    answer = requests.get(
        phone.url(path=path), headers={"Host": host}, timeout=10, allow_redirects=False
    )
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"http://{phone.network.gateway}/"
    assert not online or online not in answer.content


def test_what_a_phones_window_shows_is_the_page(phone: Visitor) -> None:
    host, port = phone.endpoint(80)
    # As the air leads there: every name, and the device's address.
    with chromium.browser(f"--host-resolver-rules=MAP * {host}:{port}") as browser:
        context = browser.new_context(java_script_enabled=False)
        context.set_default_timeout(20_000)
        page = context.new_page()
        for name, path, _ in PROBES.values():
            page.goto(f"http://{name}{path}")
            assert page.url == f"http://{phone.network.gateway}/", name
            assert page.locator("h1").inner_text() == DEVICE_ID
        context.close()


def test_nothing_can_be_sent_under_a_name(phone: Visitor) -> None:
    # A site's page that stayed open asks for its own name, which is the device now.
    origin = {"Host": "site.example", "Origin": "http://site.example"}
    answer = requests.post(
        phone.url(path="/bundle"),
        files={"text": (None, "anything")},
        headers=origin,
        timeout=10,
        allow_redirects=False,
    )
    assert answer.status_code == 302
    assert "No configuration" not in answer.text and phone.network.is_up
