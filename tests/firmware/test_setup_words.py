# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The setup page has sentences for every outcome that a bundle can have."""

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
# A bundle needs no configuration server and no discovery.
_OTHERS = {"ok", "discovery_none", "server_unreachable", "server_rejected"}
_SENTENCE = re.compile(r"[A-Z][^<>&]+[.?]")


@pytest.fixture(scope="module")
def words() -> Any:
    path = ROOT / "firmware" / "muster" / "setup_words.py"
    spec = importlib.util.spec_from_file_location("setup_words", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def codes() -> set[str]:
    text = (ROOT / "docs" / "protocol.md").read_text()
    section = text.partition("## 8. Outcome codes")[2].partition(". A code never")[0]
    return set(re.findall(r"`(\w+)`", section))


def test_every_outcome_of_a_bundle_has_sentences(words: Any) -> None:
    assert "wifi_auth" in codes()
    assert codes() - _OTHERS == set(words._WORDS)
    for what, to_do in (*words._WORDS.values(), *words._CAUSES.values()):
        assert _SENTENCE.fullmatch(what) and _SENTENCE.fullmatch(to_do)


@pytest.mark.parametrize(
    ("code", "detail", "said"),
    [
        ("server_untrusted", "kid: this device is PRESS-4, …", "for another device"),
        ("server_untrusted", "tag: made for another label, …", "damaged"),
        ("config_invalid", "exp: expired 5 s ago; …", "expired"),
        ("config_invalid", "config.networks[0].ssid: …", "a mistake in it"),
        ("config_invalid", "bundle: not the five parts", "not a whole"),
        ("config_invalid", "size: no bundle has 1000000 bytes", "far too large"),
        ("of_a_newer_firmware", "anything", "Something"),
    ],
)
def test_what_is_refused_is_told_by_its_cause(
    words: Any, code: str, detail: str, said: str
) -> None:
    assert said in words.sentences(code, detail)[0]
