# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`muster wifi`: another password for a network, without losing a device.

Devices get the new one beside the old one; when all have both, it changes at the access points.
"""

from argparse import Namespace
from typing import Any
from urllib.parse import quote

from muster_server.commands import at_portal, print_json, say
from muster_server.device_text import plain
from muster_server.terminal import read_hidden


def show_change(options: Namespace) -> int:
    """Say which passwords are changing, and who has not got both."""
    return _tell(options, at_portal(options, "GET", _path(options)))


def begin_change(options: Namespace) -> int:
    """Give devices the new password beside the old one; it is asked for, or read from stdin."""
    psk = read_hidden(f"new password of {options.ssid}", "the new password")
    body = {"ssid": options.ssid, "psk": psk, "draft": options.draft}
    kept = at_portal(options, "POST", _path(options), body)
    if options.json:
        return print_json(kept)
    name, number = plain(kept["name"]), kept["number"]
    if options.draft:
        return say(
            f"version {number} has both passwords, and is in force for nobody",
            f"muster rollout begin {name} {number} --waves '1, 10 %'   brings it to devices",
        )
    return say(
        f"version {number} has both passwords; devices get it at their next contact",
        f"muster wifi show {name}   says who has not got both; then change it at the access "
        "points",
    )


def retire_old(options: Namespace) -> int:
    """Leave the new password alone; refused while somebody has not got it."""
    return _end(options, "new")


def take_back(options: Namespace) -> int:
    """Leave the old password alone."""
    return _end(options, "old")


def _end(options: Namespace, keep: str) -> int:
    confirmed = getattr(options, "though_lost", False)
    body = {"ssid": options.ssid, "keep": keep, "confirmed": confirmed}
    kept = at_portal(options, "POST", _path(options) + "/end", body)
    if options.json:
        return print_json(kept)
    return say(f"version {kept['number']} has the {keep} password alone")


def _path(options: Namespace) -> str:
    return f"/v1/profiles/{quote(options.name, safe='')}/passwords"


def _tell(options: Namespace, found: dict[str, Any]) -> int:
    if options.json:
        return print_json(found)
    if not found["changing"]:
        return say("no password is changing")
    name = plain(found["name"])
    lines = [f"changing: {', '.join(map(plain, found['changing']))}"]
    if found["behind"]:
        lines.append(
            f"{found['behind']} devices have not got both passwords yet; "
            f"muster device list --profile {name} --behind"
        )
    else:
        lines.append("all devices have both: change it at the access points, then")
        lines += [f"muster wifi retire {name} '{plain(ssid)}'" for ssid in found["changing"]]
    return say(*lines)
