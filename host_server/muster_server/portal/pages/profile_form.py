# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A profile as fields of a form, named by their paths in it, and back."""

import json
from typing import Any

from muster_server import ssids
from muster_server.api import bounds
from muster_server.document import parse_json
from muster_server.errors import HostError, Invalid
from muster_server.portal.pages.forms import Form

NETWORKS = bounds.NETWORKS[1]
_PLATFORM = {"url": "", "cse": "cse-in", "api": "Nmuster", "rvi": "4", "ca": ""}
_POLICY = {"sync_s": "3600", "failsafe_s": "120"}
# Without its password: that is typed or stays.
_KEPT_OF_NETWORK = ("ip",)


def values_of(profile: dict[str, Any]) -> dict[str, str]:
    """Return the text of each field; no password is in it, for none is in the profile."""
    platform, policy = profile.get("platform", {}), profile.get("policy", {})
    values = {
        "name": profile.get("name", ""),
        "country": profile.get("country", ""),
        "reonboarding": profile.get("reonboarding", "owner"),
        "platform.insecure": "yes" if platform.get("insecure") else "",
        "policy.ntp": policy.get("ntp") or "",
        "policy.commands_s": _text_of(policy.get("commands_s")),
        "app": _json_text(profile.get("app") or {}),
        "app_schema": _json_text(profile.get("app_schema")),
    }
    for name, default in _PLATFORM.items():
        values[f"platform.{name}"] = str(platform.get(name) or default)
    for name, default in _POLICY.items():
        values[f"policy.{name}"] = str(policy.get(name, default))
    for n in range(NETWORKS):
        network = profile["networks"][n] if n < len(profile["networks"]) else None
        at = f"networks[{n}]"
        values[f"{at}.ssid"] = ssids.name_of(network) if network else ""
        values[f"{at}.hidden"] = "yes" if network and network.get("hidden") else ""
        values[f"{at}.open"] = "yes" if network and not network.get("psk_set", True) else ""
    return values


def document_of(form: Form, profile: dict[str, Any]) -> dict[str, Any]:
    """Return the profile that a form makes of the one there is. Fields that the form does not have
    stay. Invalid names a field that is no number or no JSON; all else the service judges.
    """
    platform = {**profile.get("platform", {})}
    for name in _PLATFORM:
        platform[name] = form.line(f"platform.{name}") or None
    platform["insecure"] = bool(form.line("platform.insecure"))
    policy = {**profile.get("policy", {})}
    policy |= {name: _number(form, f"policy.{name}") for name in _POLICY}
    policy["ntp"] = form.line("policy.ntp") or None
    policy.pop("commands_s", None)
    if form.line("policy.commands_s"):
        policy["commands_s"] = _number(form, "policy.commands_s")
    document = {
        **profile,
        "country": form.line("country").upper(),
        "reonboarding": form.line("reonboarding"),
        "platform": {name: value for name, value in platform.items() if value is not None},
        "policy": policy,
        "app": _json(form, "app") or {},
        "app_schema": _json(form, "app_schema"),
        "networks": _networks(form, profile.get("networks", [])),
    }
    return {name: value for name, value in document.items() if name != "name"}


def _networks(form: Form, former: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for n in range(NETWORKS):
        at = f"networks[{n}]"
        ssid, password = form.text(f"{at}.ssid"), form.text(f"{at}.psk")
        if not ssid:
            continue
        same = [network for network in former if ssids.name_of(network) == ssid]
        network = {name: same[0][name] for name in _KEPT_OF_NETWORK if same and name in same[0]}
        network |= {"ssid": ssid, "hidden": bool(form.line(f"{at}.hidden"))}
        if form.line(f"{at}.open"):
            network["psk"] = None
        elif password:
            network["psk"] = password
        found.append(network)
    return found


def _number(form: Form, path: str) -> int:
    number = form.number(path)
    if number < 0:
        raise Invalid("wanted a whole number", path=path)
    return number


def _json(form: Form, path: str) -> Any:
    text = form.line(path)
    if not text:
        return None
    try:
        return parse_json(text.encode())
    except HostError:
        raise Invalid("this is no JSON", path=path) from None


def _text_of(number: int | None) -> str:
    return "" if number is None else str(number)


def _json_text(value: Any) -> str:
    return "" if value in (None, {}) else json.dumps(value, indent=2, ensure_ascii=False)
