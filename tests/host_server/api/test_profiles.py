# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The schema of a profile says what its reader does, at every bound."""

from copy import deepcopy
from typing import Any

import pytest

from muster_server.config_server.profile import checked_profile, shown_profile
from muster_server.errors import Invalid
from tests.host_server.api.schemas import description, errors
from tests.host_server.config_server.field import PROFILE, SERVER_URL
from tests.host_server.golden import bounded, cases
from tests.wire.configurations import FULL, GONE, URLS, WRONG, WRONG_URLS, changed, path_of

# What only the server puts into a configuration; the rest comes from the profile.
_OWN = ("v", "version", "config_server", "device")
_OWN_OF_PLATFORM = ("originator", "token")
# What no schema can say: sizes in bytes of UTF-8, and of the whole.
_UNSAYABLE = ("networks.0.ssid/34-bytes-of-utf-8", "whole/4097-bytes", "whole/17-deep")


def profile_of(configuration: dict[str, Any]) -> dict[str, Any]:
    """The profile that such a configuration is made from."""
    own = {name: value for name, value in configuration.items() if name not in _OWN}
    platform = own.get("platform")
    if isinstance(platform, dict):
        known = {k: v for k, v in platform.items() if k not in _OWN_OF_PLATFORM}
        own["platform"] = known | {"insecure": True}
    return {"name": "press", **own}


def refusal(profile: Any) -> str | None:
    """The path at which the reader refuses it; None if it does not."""
    try:
        checked_profile(deepcopy(profile), has_accounts=False, server_url=SERVER_URL)
    except Invalid as error:
        return error.path or ""
    return None


def is_own(case: dict[str, Any]) -> bool:
    where = case["where"]
    return where[0] in _OWN or (where[0] == "platform" and where[1] in _OWN_OF_PLATFORM)


@cases("bounds", is_valid=True, but=is_own)
def test_what_the_reader_takes_at_a_bound_the_schema_takes(case: dict[str, Any]) -> None:
    profile = profile_of(bounded(case))
    # A profile leaves less room than its configuration: id and token of the longest come too.
    assert refusal(profile) is None or case["name"].startswith("whole/")
    assert errors("Profile", profile) == []


@cases("bounds", is_valid=False, but=is_own)
def test_what_the_reader_refuses_beyond_a_bound_the_schema_refuses(case: dict[str, Any]) -> None:
    profile = profile_of(bounded(case))
    assert refusal(profile) is not None
    assert bool(errors("Profile", profile)) is (case["name"] not in _UNSAYABLE)


@pytest.mark.parametrize("url", [url for _, url in URLS])
def test_urls_that_are_read_fit_the_schema(url: str) -> None:
    assert errors("Profile", profile_of(changed(FULL, "platform.url", url))) == []


@pytest.mark.parametrize(
    "url",
    [url for _, url in WRONG_URLS if "\n" not in url[-1:]],  # Python's $ lets one end pass
)
def test_urls_that_are_refused_do_not_fit_it(url: str) -> None:
    assert errors("Profile", profile_of(changed(FULL, "platform.url", url))) != []


# What a profile may leave out: it has a default.
_LEFT_OUT = {"hidden", "ip", "type", "cse", "api", "rvi", "ca"}
_LEFT_OUT |= {"app", "policy", "failsafe_s", "sync_s", "ntp"}


@pytest.mark.parametrize(
    ("where", "value"),
    [
        pytest.param(where, value, id=name)
        for name, where, value in WRONG
        if where.split(".")[0] not in _OWN
        and where.split(".")[-1] not in _OWN_OF_PLATFORM
        and not (value is GONE and where.split(".")[-1] in _LEFT_OUT)
        and name not in ("token-over-http", "https-without-ca", "insecure-is-text")
        and name not in ("ca-is-not-base64", "psk-with-a-line-end")
        and name != "ssid-of-33-bytes"
    ],
)
def test_field_that_is_wrong_is_refused_by_both_at_its_path(where: str, value: Any) -> None:
    profile = profile_of(changed(FULL, where, value))
    assert refusal(profile) == path_of(where).removeprefix("config.")
    assert errors("Profile", profile) != []


@pytest.mark.parametrize("name", ["", "A", "-a", "a-", "a" * 65, "a/b"])
def test_name_that_is_none_is_refused_by_both(name: str) -> None:
    profile = PROFILE | {"name": name}
    assert refusal(profile) == "name"
    assert errors("Profile", profile) != []


@pytest.mark.parametrize("name", ["a", "a" * 64, "a.b_c-d", "0"])
def test_name_that_is_one_is_taken_by_both(name: str) -> None:
    profile = PROFILE | {"name": name}
    assert refusal(profile) is None
    assert errors("Profile", profile) == []


def test_defaults_are_those_that_are_filled_in() -> None:
    read = checked_profile(PROFILE, has_accounts=False, server_url=SERVER_URL)
    shown = shown_profile(read)
    assert errors("ShownProfile", shown, is_closed=True) == []
    # What is left out is not allowed; that costs no byte of a configuration.
    left_out = {"local_wifi": False, "commands_s": None}
    assert _defaults("Policy") == left_out | shown["policy"]
    assert _defaults("GivenNetwork").items() <= shown["networks"][0].items()
    assert {"type", "rvi"} <= set(_defaults("Platform"))
    for name, value in _defaults("Platform").items():
        assert shown["platform"].get(name, value) == value or name in PROFILE["platform"]
    for name in ("app", "app_schema", "reonboarding"):
        assert _defaults("Profile")[name] == shown[name]


def _defaults(component: str) -> dict[str, Any]:
    fields = description()["components"]["schemas"][component]["properties"]
    return {name: field["default"] for name, field in fields.items() if "default" in field}
