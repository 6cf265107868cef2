# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Profiles: the templates from which configurations are made."""

import copy
import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from muster_server import ssids
from muster_server.api import bounds
from muster_server.config_server.configuration import check_base64, check_configuration
from muster_server.config_server.platform_adapter import new_originator
from muster_server.config_server.schema import check_app
from muster_server.document import Fields, typed, wrong
from muster_server.errors import Invalid

DEFAULT_CSE = "cse-in"  # of the platform that comes with these servers
DEFAULT_API = "Nmuster"  # N: an application id that nobody has registered (TS-0001 7.1.8)
REONBOARDING = ("never", "owner", "always")

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")
_PEM = "-----BEGIN CERTIFICATE-----"
_PLATFORM_FIELDS = ("type", "url", "cse", "api", "rvi", "ca", "insecure", "acpi")
_NETWORK_FIELDS = ("ssid", "ssid_b64", "psk", "hidden", "ip")


@dataclass(frozen=True)
class Particulars:
    """The values that one version of one device adds to its profile."""

    version: int
    originator: str
    token: str | None = field(repr=False)
    server_url: str
    server_key: bytes = field(repr=False)
    adoption: bytes = field(repr=False)
    device_name: str


def build_configuration(profile: dict[str, Any], own: Particulars) -> dict[str, Any]:
    """The configuration of one device; Invalid names the field of the profile that is wrong."""
    configuration = unchecked_configuration(profile, own)
    check_made(profile, configuration)
    return configuration


def check_made(profile: dict[str, Any], configuration: dict[str, Any]) -> None:
    """Invalid names the field of the profile that makes this configuration wrong."""
    try:
        check_configuration(configuration)
    except Invalid as error:
        raise _in_profile(profile.get("name", ""), error) from None


def unchecked_configuration(profile: dict[str, Any], own: Particulars) -> dict[str, Any]:
    """Return what the profile makes for one device. It is for comparison with what was checked:
    nothing is handed out that was not checked. It has parts in common with the profile: neither is
    to be changed.
    """
    platform = profile["platform"]
    return {
        "v": 1,
        "version": own.version,
        "networks": profile["networks"],
        "platform": {
            **platform,
            "originator": own.originator,
            "token": own.token,
            "ca": platform.get("ca"),
        },
        "config_server": {
            "url": own.server_url,
            "key": b64encode(own.server_key).decode(),
            "adoption": b64encode(own.adoption).decode(),
        },
        "device": {"name": own.device_name, "tags": {}},
        "app": profile["app"],
        "country": profile["country"],
        "policy": dict(profile["policy"]),
    }


def checked_profile(
    value: object,
    *,
    has_accounts: bool,
    server_url: str,
    kept: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """The profile with its defaults filled in and its CA as DER, known to make a valid
    configuration. `has_accounts`: whether devices get a token for this platform. A network without
    `psk` has that of the network of the same name among `kept`.
    """
    fields = Fields(value)
    name = fields.text("name", *bounds.PROFILE_NAME)
    if not _NAME.fullmatch(name):
        raise wrong("name", "wanted a-z, 0-9, and . _ - inside")
    document = {
        "name": name,
        "networks": [
            _network(n, item, kept)
            for n, item in enumerate(fields.items("networks", *bounds.NETWORKS))
        ],
        "platform": _platform(fields.fields("platform")),
        "app": fields.document.get("app", {}),
        "app_schema": fields.document.get("app_schema"),
        "country": fields.required("country"),
        "policy": {
            "failsafe_s": 120,
            "sync_s": 3600,
            "ntp": None,
            **_object(fields, "policy"),
        },
        "reonboarding": _reonboarding(fields),
    }
    # The longest that may come, so that no device finds it too large later.
    sample = Particulars(
        version=bounds.HIGHEST,
        originator=new_originator(),
        token="0" * 64 if has_accounts else None,
        server_url=server_url,
        server_key=bytes(bounds.KEY_BYTES),
        adoption=bytes(bounds.KEY_BYTES),
        device_name="x" * bounds.DEVICE_NAME[1],
    )
    build_configuration(document, sample)
    # Once, as profile and schema are kept: not at each sync, for it takes a process.
    if document["app_schema"] is not None:
        check_app(document["app"], document["app_schema"])
    return document


def shown_profile(document: dict[str, Any]) -> dict[str, Any]:
    """The profile without its passwords: `psk_set` says whether there is one. `app` is shown as it
    is, for its owner edits it here: it is no place for secrets.
    """
    shown = copy.deepcopy(document)
    for network in shown["networks"]:
        network["psk_set"] = network.pop("psk") is not None
    return shown


def _network(n: int, item: object, kept: Sequence[dict[str, Any]]) -> dict[str, Any]:
    network = Fields(item, f"networks[{n}]")
    known = {name: network.document[name] for name in _NETWORK_FIELDS if name in network.document}
    document = {"hidden": False, "ip": "dhcp", **ssids.accepted(known)}
    if "psk" not in document:
        names = {name: document.get(name) for name in ("ssid", "ssid_b64")}
        same = [old for old in kept if all(old.get(k) == name for k, name in names.items())]
        if not same:
            raise wrong(
                network.at("psk"),
                "missing, and none is stored for a network of this name; give it, or null for an "
                "open network",
            )
        if len(same) > 1:
            raise wrong(
                network.at("psk"),
                "two passwords are kept for this network, for it is changing; end that first",
            )
        document["psk"] = same[0]["psk"]
    return document


def _platform(platform: Fields) -> dict[str, Any]:
    given = platform.document
    document = {name: given[name] for name in _PLATFORM_FIELDS if name in given}
    ca = given.get("ca")
    if ca is not None:
        document["ca"] = _ca(typed(ca, str, platform.at("ca")), platform.at("ca"))
    if document.get("insecure") is False:
        del document["insecure"]
    return {"type": "onem2m", "cse": DEFAULT_CSE, "api": DEFAULT_API, "rvi": "4", **document}


def _ca(text: str, path: str) -> str:
    # Late: only profiles with a CA need it.
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    try:
        if text.lstrip().startswith(_PEM):
            if text.count(_PEM) > 1:
                raise wrong(path, "wanted one certificate, the CA's own, and got several")
            certificate = x509.load_pem_x509_certificate(text.encode())
        else:
            certificate = x509.load_der_x509_certificate(check_base64(text, path))
    except ValueError:
        raise wrong(path, "wanted a certificate in PEM, or in base64 of its DER") from None
    return b64encode(certificate.public_bytes(Encoding.DER)).decode()


def _reonboarding(fields: Fields) -> str:
    if "reonboarding" not in fields.document:
        return "owner"
    return fields.one_of("reonboarding", REONBOARDING)


def _object(fields: Fields, name: str) -> dict[str, Any]:
    value: dict[str, Any] = typed(fields.document.get(name, {}), dict[str, Any], name)
    return value


def _in_profile(name: str, error: Invalid) -> Invalid:
    path = (error.path or "").removeprefix("config.")
    return Invalid(f'{error.detail} (profile "{name}")', path="" if path == "config" else path)
