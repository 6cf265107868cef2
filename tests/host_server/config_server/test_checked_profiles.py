# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Is a configuration of a profile that made a valid one checked as strictly as the first?"""

from dataclasses import replace
from typing import Any

import pytest

from muster_server.api import bounds
from muster_server.config_server import checked_profiles
from muster_server.config_server.checked_profiles import CheckedProfiles
from muster_server.config_server.profile import Particulars, build_configuration, checked_profile
from muster_server.document import compact_json
from muster_server.errors import Invalid
from tests.host_server.config_server.field import PROFILE

OWN = Particulars(7, "Cabc", "t" * 43, "http://127.0.0.1:8421", bytes(32), bytes(32), "press 4")


@pytest.fixture
def profile() -> dict[str, Any]:
    return checked_profile(PROFILE, has_accounts=True, server_url=OWN.server_url)


def verdict(build: Any, profile: dict[str, Any], own: Particulars) -> tuple[str, str | None, Any]:
    try:
        return "valid", None, build(profile, own)
    except Invalid as error:
        return str(error), error.path, None


@pytest.mark.parametrize(
    "others",
    [
        {},
        {"version": 0},
        {"version": bounds.HIGHEST},
        {"version": bounds.HIGHEST + 1},
        {"originator": "Sabc"},
        {"originator": "C"},
        {"originator": "C" * 65},
        {"token": None},
        {"token": ""},
        {"token": "t" * 256},
        {"token": "t" * 257},
        {"server_url": "ftp://example"},
        {"server_key": bytes(31)},
        {"adoption": bytes(33)},
        {"device_name": ""},
        {"device_name": "Presse groß"},
        {"device_name": "x" * 65},
        {"device_name": "half \ud800"},
    ],
)
def test_verdict_is_that_of_the_whole_check(
    profile: dict[str, Any], others: dict[str, Any]
) -> None:
    checked, own = CheckedProfiles(), replace(OWN, **others)
    checked.build(profile, OWN)
    wanted = verdict(build_configuration, profile, own)
    assert verdict(checked.check, profile, own)[:2] == wanted[:2]
    assert verdict(checked.build, profile, own) == wanted


def test_configuration_that_a_name_makes_too_large_is_refused(profile: dict[str, Any]) -> None:
    checked = CheckedProfiles()
    size = len(compact_json(build_configuration(profile, OWN)))
    profile["app"] = {"x": "y" * (bounds.CONFIGURATION_BYTES - size - 6)}
    assert len(compact_json(checked.build(profile, OWN))) == bounds.CONFIGURATION_BYTES
    for name in ("press 40", "press\n4", 'press"4'):
        with pytest.raises(Invalid, match="at most 4096 bytes"):
            checked.build(profile, replace(OWN, device_name=name))
        with pytest.raises(Invalid, match="at most 4096 bytes"):
            checked.check(profile, replace(OWN, device_name=name))


def test_profile_that_is_good_without_a_token_is_looked_at_again_for_one(
    profile: dict[str, Any],
) -> None:
    checked = CheckedProfiles()
    del profile["platform"]["insecure"]
    checked.build(profile, replace(OWN, token=None))
    with pytest.raises(Invalid, match="must not travel over http"):
        checked.build(profile, OWN)


def test_whole_check_is_made_once_for_a_document_and_again_for_another(
    profile: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[object] = []
    monkeypatch.setattr(checked_profiles, "check_made", lambda *about: made.append(about))
    checked = CheckedProfiles()
    for number in range(1, 4):
        checked.build(profile, replace(OWN, version=number))
    assert len(made) == 1
    checked.build({**profile}, OWN)
    assert len(made) == 2
