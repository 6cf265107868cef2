# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What do outcomes promise to a person?"""

import re
from pathlib import Path
from typing import Any

import pytest

from muster_server.outcomes import CODES, OUTCOMES, STEPS, TOLD, sentence, step_of
from tests.host_server.golden import cases


def codes_raised_by_the_firmware() -> set[str]:
    """Read as text: host and firmware do not import each other."""
    folder = Path(__file__).parents[2] / "firmware" / "muster"
    texts = (path.read_text() for path in folder.glob("*.py"))
    return {code for text in texts for code in re.findall(r'DeviceError\(\s*"(\w+)"', text)}


@cases("steps", is_valid=True)
def test_step_has_the_words_that_the_bench_uses(case: dict[str, Any]) -> None:
    assert STEPS[case["step"]] == case["words"]


def test_there_are_nine_steps() -> None:
    assert list(STEPS) == list(range(1, 10))


def codes_of_the_protocol() -> list[str]:
    text = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text()
    listed = text.partition("## 8. Outcome codes")[2].partition("A code never")[0]
    return re.findall(r"`(\w+)`", listed)


def test_codes_are_those_of_the_protocol() -> None:
    assert list(CODES) == codes_of_the_protocol()


@pytest.mark.parametrize("code", CODES)
def test_every_code_says_what_happened_and_what_to_do(code: str) -> None:
    outcome = OUTCOMES[code]
    assert outcome.happened.endswith(".")
    assert outcome.to_do.endswith(".")
    assert outcome.happened != outcome.to_do
    for step in STEPS:
        text = sentence(code, ["factory"], "http://platform.example", step=step)
        assert "{" not in text
    assert step_of(code) in STEPS


@pytest.mark.parametrize("code", [code for code in CODES if code.startswith(("wifi", "dhcp"))])
def test_every_code_of_a_network_names_it(code: str) -> None:
    assert "'factory'" in sentence(code, ["factory"], "", step=8)
    assert "'factory'" not in sentence(code, ["factory"], "", step=4)


@pytest.mark.parametrize(
    ("code", "detail"),
    [
        ("wifi_auth", "MUSTER-desk: status 202"),
        ("wifi_timeout", "MUSTER-desk does not answer"),
        ("wifi_timeout", "the radio refuses to connect to MUSTER-desk"),
        ("dhcp_timeout", "MUSTER-desk gives no address, signal -60 dBm"),
        ("discovery_none", "no configuration server on MUSTER-desk"),
    ],
)
def test_onboarding_network_is_named_as_the_device_names_it(code: str, detail: str) -> None:
    assert "'MUSTER-desk'" in sentence(code, ["factory"], "", detail, step=4)


@pytest.mark.parametrize("code", [code for code in CODES if code.startswith("platform")])
def test_every_code_of_the_platform_names_it(code: str) -> None:
    assert "https://m2m.example" in sentence(code, [], "https://m2m.example")


def test_every_code_that_the_firmware_raises_is_known_here() -> None:
    assert codes_raised_by_the_firmware() <= set(CODES)


def test_wrong_password_names_the_network() -> None:
    text = sentence("wifi_auth", ["factory", "office"], "", "office: status 202")
    assert "'office'" in text
    assert "'factory'" not in text
    assert "'factory' or 'office'" in sentence("wifi_auth", ["factory", "office"], "")


def test_code_of_a_newer_firmware_is_shown_with_its_detail() -> None:
    assert sentence("moon_phase", [], "", "waning") == "The device reports moon_phase: waning"


def test_braces_in_an_ssid_do_no_harm() -> None:
    assert "{x}" in sentence("wifi_auth", ["{x}"], "")


def test_every_sentence_can_be_filled() -> None:
    assert all(sentence(code, [], "") for code in (*CODES, *TOLD))


def test_name_that_is_part_of_a_word_is_not_taken_for_it() -> None:
    text = sentence("wifi_auth", ["fact", "factory"], "", "factory: status 202")
    assert "'fact'" not in text


def test_name_that_is_not_ascii_is_found_as_the_device_writes_it() -> None:
    detail = "\\xe5\\xae\\xb6: status 202"
    assert "'\u5bb6'" in sentence("wifi_auth", ["\u5bb6", "factory"], "", detail)
    assert "'factory'" not in sentence("wifi_auth", ["\u5bb6", "factory"], "", detail)


def test_sentence_is_one_before_there_is_a_configuration_too() -> None:
    said = sentence("platform_unreachable", [], "")
    assert "and that the operational network leads to it." in said
    assert "The network of the profile was not in reach." in sentence("wifi_no_ap", [], "")
