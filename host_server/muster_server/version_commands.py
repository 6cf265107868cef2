# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Versions of profiles at the terminal: what differs, and what a device would get."""

import json
from argparse import Namespace
from typing import Any
from urllib.parse import quote, urlencode

from muster_server.commands import at_portal, print_json, read_text, say
from muster_server.device_text import plain, when
from muster_server.profile_commands import parsed, problem_error
from muster_server.profile_file import problems_of


def list_versions(options: Namespace) -> int:
    """A line for each version, the newest first, with how many devices run it."""
    found = at_portal(options, "GET", _path(options, "versions"))
    if options.json:
        return print_json(found)
    lines = [_line(version) for version in found["versions"]]
    if found["behind"]:
        lines.append(
            f"{found['behind']} of {found['devices']} devices have not proved the one in force; "
            f"muster device list --profile {plain(found['name'])} --behind"
        )
    if found["rollout"]:
        lines.append(f"one is rolled out: muster rollout show {found['rollout']}")
    return say(*lines)


def compare_versions(options: Namespace) -> int:
    """A line for each field that differs; of secrets, that they differ."""
    new = options.new or at_portal(options, "GET", _path(options, "versions"))["current"]
    if options.new is None and options.old == new and not options.json:
        return say(f"version {new} is in force; name another one to compare it with")
    query = urlencode({"old": options.old, "new": new})
    found = at_portal(options, "GET", f"{_path(options, 'difference')}?{query}")
    if options.json:
        return print_json(found)
    lines = [_difference(change) for change in found["changes"]]
    return say(*lines or [f"versions {options.old} and {new} say the same"])


def preview_version(options: Namespace) -> int:
    """Print the configuration that a device would get, without its secrets."""
    query = urlencode({"device_id": options.id})
    path = _path(options, f"versions/{options.number}/preview")
    found = at_portal(options, "GET", f"{path}?{query}")
    if options.json:
        return print_json(found)
    return say(json.dumps(found["config"], indent=2, ensure_ascii=False))


def draft_version(options: Namespace) -> int:
    """Keep a version that is in force for nobody. Raises SettingsError for a wrong file."""
    document = parsed(options.file, read_text(options.file))
    problems = problems_of(document, keeps_passwords=True)
    if problems:
        raise problem_error(options.file, problems)
    path = f"/v1/profiles/{quote(str(document['name']), safe='')}/versions"
    kept = at_portal(options, "POST", path, document)
    if options.json:
        return print_json(kept)
    name, number = plain(kept["name"]), kept["number"]
    return say(
        f'version {number} of "{name}" is kept, and in force for nobody',
        f"muster rollout begin {name} {number} --waves '1, 10 %'   brings it to devices",
    )


def use_version(options: Namespace) -> int:
    """Put a version in force for all devices at once."""
    kept = at_portal(options, "POST", _path(options, f"versions/{options.number}/use"))
    if options.json:
        return print_json(kept)
    return say(f'version {kept["number"]} of "{plain(kept["name"])}" is in force for all devices')


def _path(options: Namespace, what: str) -> str:
    return f"/v1/profiles/{quote(options.name, safe='')}/{what}"


def _line(version: dict[str, Any]) -> str:
    about = "in force" if version["is_current"] else ""
    if version["same_as"]:
        about = f"{about}, as version {version['same_as']} to devices".removeprefix(", ")
    text = f"{version['number']:>4}  {when(version['made_at'])}  {version['devices']:>7} devices"
    return f"{text}  {about}".rstrip()


def _difference(change: dict[str, Any]) -> str:
    path = plain(change["path"])
    if change["is_hidden"]:
        return f"{path}  differs, and is not shown"
    before, after = (json.dumps(change[n], ensure_ascii=False) for n in ("before", "after"))
    return f"{path}  {plain(before)} -> {plain(after)}"
