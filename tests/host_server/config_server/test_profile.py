# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What do profiles promise?"""

import json
from base64 import b64encode
from typing import Any

import pytest

from muster_server.config_server.configuration import check_configuration
from muster_server.config_server.profile import (
    Particulars,
    build_configuration,
    checked_profile,
    shown_profile,
)
from muster_server.errors import Conflict, Invalid, NotFound
from tests.certificates import Authority
from tests.host_server.config_server.field import PROFILE, Field
from tests.wire import authorities

OWN = Particulars(7, "Cabc", "t" * 43, "http://127.0.0.1:8421", bytes(32), bytes(32), "press 4")


def checked(value: object, has_accounts: bool = True) -> dict[str, Any]:
    return checked_profile(value, has_accounts=has_accounts, server_url="http://127.0.0.1:8421")


def test_small_profile_gets_its_defaults_and_makes_a_valid_configuration() -> None:
    profile = checked(PROFILE)
    configuration = build_configuration(profile, OWN)
    check_configuration(configuration)
    assert configuration["policy"] == {"failsafe_s": 120, "sync_s": 3600, "ntp": None}
    assert configuration["networks"][0]["ip"] == "dhcp"
    assert profile["reonboarding"] == "owner"


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"networks": [{"ssid": "factory"}]}, "networks[0].psk"),
        ({"networks": []}, "networks"),
        ({"networks": [{"ssid": "x" * 33, "psk": None}]}, "networks[0].ssid"),
        ({"networks": [{"ssid": "a", "ssid_b64": "YQ==", "psk": None}]}, "networks[0].ssid_b64"),
        ({"networks": [{"ssid": "base64:?", "psk": None}]}, "networks[0].ssid_b64"),
        ({"networks": [{"psk": None}]}, "networks[0].ssid"),
        ({"country": "de"}, "country"),
        ({"app": []}, "app"),
        ({"app": {"x": "y" * 4096}}, ""),
        ({"policy": {"sync_s": 0}}, "policy.sync_s"),
        ({"app": {"limit": 1e39}}, "app.limit"),
        ({"policy": {"later": 2**64}}, "policy.later"),
        ({"policy": []}, "policy"),
        ({"reonboarding": "sometimes"}, "reonboarding"),
        ({"name": "Press 4"}, "name"),
        ({"name": "../x"}, "name"),
        ({"platform": PROFILE["platform"] | {"insecure": False}}, "platform.token"),
        ({"platform": PROFILE["platform"] | {"url": "https://a.example", "insecure": False}},
         "platform.ca"),
        ({"platform": PROFILE["platform"] | {"ca": "hello"}}, "platform.ca"),
        ({"platform": PROFILE["platform"] | {"url": "http://a:99999"}}, "platform.url"),
        ({"app_schema": {"type": "nothing"}}, "app_schema.type"),
        ({"app_schema": []}, "app_schema"),
    ],
)  # fmt: skip
def test_wrong_profile_is_refused_by_its_field(changes: dict[str, Any], path: str) -> None:
    with pytest.raises(Invalid) as caught:
        checked(PROFILE | changes)
    assert caught.value.path == path


def test_token_is_no_matter_where_the_platform_has_none() -> None:
    platform = PROFILE["platform"] | {"insecure": False}
    assert checked(PROFILE | {"platform": platform}, has_accounts=False)


def test_app_is_checked_against_the_schema_without_repeating_its_values() -> None:
    schema = {"properties": {"period_s": {"type": "integer"}}}
    assert checked(PROFILE | {"app": {"period_s": 5}, "app_schema": schema})
    with pytest.raises(Invalid) as caught:
        checked(PROFILE | {"app": {"period_s": "hunter2"}, "app_schema": schema})
    assert caught.value.path == "app.period_s"
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("ref", ["https://example.invalid/schema", "file:///etc/passwd", "#/x"])
def test_schema_is_fetched_from_nowhere(ref: str) -> None:
    with pytest.raises(Invalid, match="leads nowhere"):
        checked(PROFILE | {"app_schema": {"$ref": ref}})


@pytest.mark.parametrize("form", ["pem", "der"])
def test_ca_is_handed_out_as_der(form: str) -> None:
    authority = Authority()
    der = b64encode(authority.der).decode()
    given = authority.pem if form == "pem" else der
    platform = PROFILE["platform"] | {"url": "https://a.example", "ca": given}
    del platform["insecure"]
    profile = checked(PROFILE | {"platform": platform})
    assert build_configuration(profile, OWN)["platform"]["ca"] == der


def test_ca_that_a_device_cannot_use_is_refused_with_the_reason() -> None:
    platform = PROFILE["platform"] | {"ca": authorities.ED25519}
    reason = "wanted an RSA key of at least 2048 bits.*got one that is Ed25519"
    with pytest.raises(Invalid, match=reason) as caught:
        checked(PROFILE | {"platform": platform})
    assert caught.value.path == "platform.ca"


def test_passwords_are_not_shown() -> None:
    profile = checked(PROFILE | {"networks": [*PROFILE["networks"], {"ssid": "o", "psk": None}]})
    text = json.dumps(shown_profile(profile))
    assert "correct horse" not in text
    assert [n["psk_set"] for n in shown_profile(profile)["networks"]] == [True, False]


def test_password_is_at_rest_sealed(place: Field) -> None:
    with place.engine.connect() as connection:
        blob = connection.exec_driver_sql("SELECT document FROM profile").scalar_one()
    assert b"correct horse" not in blob
    assert b"factory" not in blob


def test_profile_is_replaced_by_its_own_name_only(place: Field) -> None:
    with pytest.raises(Conflict):
        place.profiles.add(PROFILE)
    with pytest.raises(Invalid, match='wanted "other"'):
        place.profiles.replace("other", PROFILE)
    nameless = {key: value for key, value in PROFILE.items() if key != "name"}
    assert place.profiles.replace("other", nameless)["name"] == "other"
    assert place.profiles.names() == ["other", "press"]
    with pytest.raises(NotFound):
        place.profiles.shown("third")
