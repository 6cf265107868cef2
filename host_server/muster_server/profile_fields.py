# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The fields of a profile as people write them: for each an example, and what it is for.

The rules are those of muster_server.config_server.profile. A test holds this table to the schema.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ProfileField:
    """One field; the path has no numbers, e.g. "networks[].psk"."""

    path: str
    example: Any
    about: str
    is_in_use: bool = False  # in a new template; else it stands there as a comment


FIELDS = (
    ProfileField("name", "press", "What you call it: a-z, 0-9, and . _ - inside.", True),
    ProfileField("country", "DE", "Where the devices are, for their radio (ISO 3166).", True),
    ProfileField("reonboarding", "owner", "May a label be used again? never, owner, always."),
    ProfileField("networks", [{"ssid": "factory", "psk": "correct horse battery"}], ""),
    ProfileField("networks[].ssid", "factory", "The name of the network.", True),
    ProfileField(
        "networks[].psk", "correct horse battery", "Its password: 8 to 63 characters.", True
    ),
    ProfileField("networks[].open", True, "In place of a password: the network has none."),
    ProfileField("networks[].hidden", True, "It does not tell its name."),
    ProfileField("networks[].ssid_b64", "ZmFjdG9yeQ==", "In place of ssid: its bytes in base64."),
    ProfileField(
        "networks[].ip",
        {"address": "192.168.1.7/24", "gateway": "192.168.1.1", "dns": "192.168.1.1"},
        "A fixed one.",
    ),
    ProfileField("networks[].ip.address", "192.168.1.7/24", ""),
    ProfileField("networks[].ip.gateway", "192.168.1.1", ""),
    ProfileField("networks[].ip.dns", "192.168.1.1", ""),
    ProfileField("platform", {"url": "https://m2m.example:8422"}, ""),
    ProfileField(
        "platform.url", "https://m2m.example:8422", "Where the devices find the platform.", True
    ),
    ProfileField("platform.cse", "cse-in", "The name of its CSE."),
    ProfileField("platform.api", "Nmuster", "The application's id: N or R first."),
    ProfileField("platform.ca", "-----BEGIN CERTIFICATE-----…", "For https: its authority."),
    ProfileField("platform.insecure", True, "For development only: a token may cross http."),
    ProfileField(
        "platform.acpi", ["cse-in/acp-press"], "Policies that say who may read what is published."
    ),
    ProfileField("platform.rvi", "4", "The release of oneM2M: 2a, 3, 4 or 5."),
    ProfileField("platform.type", "onem2m", "There is no other kind."),
    ProfileField("policy", {"sync_s": 3600}, ""),
    ProfileField("policy.sync_s", 3600, "Seconds between contacts with the server."),
    ProfileField("policy.failsafe_s", 120, "Seconds that a new configuration has to succeed."),
    ProfileField("policy.ntp", "pool.ntp.org", "Sets the device's clock."),
    ProfileField("policy.commands_s", 0, "Seconds between looks for commands; 0: told at once."),
    ProfileField(
        "policy.local_wifi", True, "Who has the label may give it more Wi-Fi at its setup page."
    ),
    ProfileField("app", {"interval_s": 60}, "Your application's own settings."),
    ProfileField("app_schema", {"type": "object"}, "A JSON Schema (2020-12) for them."),
)
# What a portal shows, and may be given back.
SHOWN = frozenset({"networks[].psk_set"})
# The contents are the application's.
FREE = ("app", "app_schema")
EXAMPLES = {field.path: field.example for field in FIELDS}
KNOWN = frozenset(EXAMPLES) | SHOWN
