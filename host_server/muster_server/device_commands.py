# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The commands that look at devices: one, as it comes along, or all that fit."""

import re
import time
from argparse import Namespace
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from muster_server.commands import at_portal, device_path, print_json, say, stream_from_portal
from muster_server.device_text import device_lines, list_lines, plain
from muster_server.errors import SettingsError

_PAGE = 200
_COUNTED = (
    ("states", ""),
    ("profiles", "profile "),
    ("groups", "group "),
    ("tags", "tag "),
)
_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def list_devices(options: Namespace) -> int:
    """One line per device that fits, under a header."""
    devices = list(pages(options))
    if options.json:
        return print_json({"devices": devices})
    if not devices:
        return say("no device fits" if _filters(options) else "there is no device yet")
    return say(*list_lines(devices))


def count_devices(options: Namespace) -> int:
    """The number of devices: all, and by state, profile, group and tag."""
    found = at_portal(options, "GET", "/v1/device-counts")
    if options.json:
        return print_json(found)
    lines = [f"{found['devices']:>8} devices"]
    for kind, word in _COUNTED:
        lines += [f"{count:>8} {word}{plain(name)}" for name, count in found[kind].items()]
    return say(*lines)


def show_device(options: Namespace) -> int:
    """The four facts and the nine steps; with --follow, what changes as it happens."""
    if not options.follow:
        device = at_portal(options, "GET", device_path(options))
        return print_json(device) if options.json else say(*device_lines(device))
    shown: list[str] = []
    for device in stream_from_portal(options, device_path(options) + "/stream"):
        if options.json:
            print_json(device, is_at_once=True)
            continue
        lines = device_lines(device)
        for line in lines:
            if line not in shown:
                print(line, flush=True)
        shown = lines
    return 0


def pages(options: Namespace) -> Iterator[dict[str, Any]]:
    """Return all devices that fit the options of `muster device list`."""
    after: str | None = ""
    while after is not None:
        query = urlencode({"limit": _PAGE, "after": after, **_filters(options)})
        answer = at_portal(options, "GET", f"/v1/devices?{query}")
        yield from answer["devices"]
        after = answer["next"]


def _filters(options: Namespace) -> dict[str, Any]:
    if options.behind and not options.profile:
        raise SettingsError("--behind: of which profile? give --profile, too")
    given = {
        "state": options.state,
        "attempt": options.attempt,
        "waiting_for": options.waiting_for,
        "profile": options.profile,
        "search": options.search,
        "group": options.group,
        "tag": options.tag,
        "sort": options.sort,
        "silent_since": _moment(options.silent_since) if options.silent_since else None,
        "behind": "true" if options.behind else None,
    }
    return {name: value for name, value in given.items() if value is not None}


def _moment(text: str) -> float:
    """Unix time of "2h" (so long ago) or of a date and time."""
    ago = re.fullmatch(r"([0-9]{1,6})([smhd])", text)
    if ago:
        return time.time() - int(ago[1]) * _UNITS_S[ago[2]]
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        raise SettingsError(
            f"--silent-since: wanted e.g. 2h, 3d or 2026-11-23T08:00, got {text}"
        ) from None
