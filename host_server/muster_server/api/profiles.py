# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Profiles, for the OpenAPI document alone.

They are read by muster_server.config_server.profile, whose errors say more than a schema can;
tests/host_server/api/test_profiles.py holds both to the same documents at every bound. Patterns
stand in `json_schema_extra`, for ECMAScript's rules and not for pydantic's.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from muster_server.api import bounds
from muster_server.api.bodies import number, text

_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_BYTE = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4 = rf"{_BYTE}(?:\.{_BYTE}){{3}}"
_PORT = (
    r"(?=[0-9]{1,5}(?:/|$))0*(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}"
    "|655[0-2][0-9]|6553[0-5])"
)


def _pattern(text: str) -> dict[str, Any]:
    return {"pattern": f"^(?:{text})$"}


Name = Annotated[
    str,
    text(
        bounds.PROFILE_NAME,
        json_schema_extra=_pattern("[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?"),
    ),
]
Ssid = Annotated[str, text(bounds.SSID_BYTES, description="as UTF-8 it has as many bytes at most")]
Psk = Annotated[
    str,
    Field(
        description="printable ASCII, or the key itself in hexadecimal; null: an open network",
        json_schema_extra=_pattern(
            "[ -~]{{{},{}}}|[0-9A-Fa-f]{{{}}}".format(*bounds.PASSPHRASE, bounds.RAW_KEY)
        )
        | {"writeOnly": True},
    ),
]
Address = Annotated[str, Field(json_schema_extra=_pattern(_IPV4), examples=["192.168.1.1"])]
Url = Annotated[
    str,
    text(
        bounds.URL,
        examples=["https://m2m.example:8422"],
        json_schema_extra=_pattern(
            rf"https?://(?!(?:[^/:]*\.)?[0-9]+(?:[:/]|$)){_LABEL}(?:\.{_LABEL})*(?::{_PORT})?"
            rf"(?:/[A-Za-z0-9._~/-]*)?|https?://{_IPV4}(?::{_PORT})?(?:/[A-Za-z0-9._~/-]*)?"
        ),
    ),
]


class Part(BaseModel):
    """A part of a profile; what is not listed is ignored."""

    model_config = ConfigDict(strict=True, extra="ignore")


class StaticAddress(Part):
    """For a network without DHCP."""

    address: Annotated[
        str,
        Field(
            examples=["192.168.1.7/24"],
            json_schema_extra=_pattern(
                f"{_IPV4}/(?:0?[1-9]|[12][0-9]|3[0-{bounds.PREFIX[1] - 30}])"
            ),
        ),
    ]
    gateway: Address
    dns: Address


def _named_once(schema: dict[str, Any]) -> None:
    """Ask for exactly one of the two forms of a network's name."""
    schema["required"] = [name for name in schema.get("required", []) if name != "ssid"]
    schema["properties"]["ssid_b64"].pop("default")
    schema["oneOf"] = [{"required": ["ssid"]}, {"required": ["ssid_b64"]}]


class Network(Part):
    """An operational network, tried in the order of the list."""

    model_config = ConfigDict(json_schema_extra=_named_once)

    ssid: Ssid
    ssid_b64: Annotated[
        str, Field(description="the name's bytes in base64, in place of `ssid`", min_length=4)
    ] = ""
    hidden: bool = False
    ip: Literal["dhcp"] | StaticAddress = "dhcp"


class GivenNetwork(Network):
    """A network with its password, which is never shown again."""

    psk: Psk | None


class KeptNetwork(Network):
    """A network of a profile that is changed; without `psk` it keeps the stored one."""

    psk: Psk | None = None
    psk_set: Annotated[bool, Field(description="as it was shown; it changes nothing")] = True


class ShownNetwork(Network):
    """A network without its password."""

    psk_set: bool


AppId = Annotated[str, text(bounds.APP_ID, json_schema_extra=_pattern(r"[NR][\s\S]*"))]


class Platform(Part):
    """The platform. Over https it needs `ca`, unless `insecure` is true."""

    type: Literal["onem2m"] = "onem2m"
    url: Url
    cse: Annotated[str, text(bounds.CSE)] = "cse-in"
    api: AppId = "Nmuster"
    rvi: Annotated[str, Field(json_schema_extra={"enum": list(bounds.RELEASES)})] = "4"
    ca: Annotated[str | None, Field(description="PEM, or base64 of DER")] = None
    insecure: Annotated[bool, Field(description="development only")] = False
    acpi: Annotated[
        list[Annotated[str, text(bounds.POLICY_ADDRESS)]],
        Field(
            min_length=bounds.POLICIES[0],
            max_length=bounds.POLICIES[1],
            description="addresses of access control policies for AE and containers",
        ),
    ] = []


class Policy(Part):
    """The device's times, in seconds, the server that sets its clock, and what people beside it
    may do."""

    failsafe_s: Annotated[int, number(bounds.FAILSAFE_S)] = 120
    sync_s: Annotated[int, number(bounds.SYNC_S)] = 3600
    ntp: Annotated[str, text(bounds.NTP)] | None = None
    local_wifi: Annotated[
        bool,
        Field(description="whoever has the label may give it another Wi-Fi at its setup page"),
    ] = False
    commands_s: Annotated[
        Annotated[int, number(bounds.COMMANDS_S)] | None,
        Field(
            description="seconds between two looks for commands; 0: the platform tells at once, "
            "over a polling channel; null: as the application says"
        ),
    ] = None


class Settings(Part):
    """The fields that all forms of a profile have in common."""

    platform: Platform
    app: Annotated[
        dict[str, Any], Field(description="shown again as it is: no place for secrets")
    ] = {}
    app_schema: Annotated[dict[str, Any] | None, Field(description="JSON Schema 2020-12")] = None
    country: Annotated[str, Field(json_schema_extra=_pattern("[A-Z]{2}"), examples=["DE"])]
    policy: Policy = Policy()
    reonboarding: Literal["never", "owner", "always"] = "owner"


class Profile(Settings):
    """A new profile."""

    name: Name
    networks: Annotated[
        list[GivenNetwork],
        Field(min_length=bounds.NETWORKS[0], max_length=bounds.NETWORKS[1]),
    ]


class ChangedProfile(Settings):
    """A profile in place of another; its name stands in the address."""

    networks: Annotated[
        list[KeptNetwork],
        Field(min_length=bounds.NETWORKS[0], max_length=bounds.NETWORKS[1]),
    ]

    name: Annotated[Name, Field(default_factory=str, description="as in the address")]


class ShownProfile(Settings):
    """A profile without its passwords."""

    name: Name
    networks: list[ShownNetwork]
