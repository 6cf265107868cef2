# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What do outcomes promise to a person?"""

import re
from pathlib import Path

import pytest

from host_server.outcomes import SENTENCES, STEPS, sentence

CODES = (
    *("ok", "wifi_no_ap", "wifi_auth", "wifi_security", "wifi_timeout", "dhcp_timeout"),
    *("discovery_none", "server_unreachable", "server_rejected", "server_untrusted"),
    *("config_invalid", "config_not_newer", "clock_unknown", "platform_unreachable"),
    *("platform_tls", "platform_refused", "platform_conflict", "storage_failed"),
    *("power_lost", "watchdog", "timeout"),
)


def codes_raised_by_the_firmware() -> set[str]:
    """Read as text: host and firmware do not import each other."""
    folder = Path(__file__).parents[2] / "firmware" / "muster"
    texts = (path.read_text() for path in folder.glob("*.py"))
    return {code for text in texts for code in re.findall(r'DeviceError\(\s*"(\w+)"', text)}


def test_there_are_nine_steps() -> None:
    assert list(STEPS) == list(range(1, 10))


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_a_sentence(code: str) -> None:
    text = sentence(code, ["factory"], "http://platform.example")
    assert text.endswith(".")
    assert "{" not in text


def test_every_code_that_the_firmware_raises_is_known_here() -> None:
    assert codes_raised_by_the_firmware() <= set(CODES)


def test_wrong_password_names_the_network() -> None:
    text = sentence("wifi_auth", ["factory", "office"], "", "'office' refused us")
    assert "'office'" in text
    assert "'factory'" not in text
    assert "'factory' or 'office'" in sentence("wifi_auth", ["factory", "office"], "")


def test_code_of_a_newer_firmware_is_shown_with_its_detail() -> None:
    assert sentence("moon_phase", [], "", "waning") == "The device reports moon_phase: waning"


def test_braces_in_an_ssid_do_no_harm() -> None:
    assert "{x}" in sentence("wifi_auth", ["{x}"], "")


def test_every_sentence_can_be_filled() -> None:
    assert all(sentence(code, [], "") for code in SENTENCES)
