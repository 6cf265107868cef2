# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`muster rollout`: a version of a profile reaches its devices in waves."""

from argparse import Namespace
from typing import Any
from urllib.parse import quote, urlencode

from muster_server.commands import at_portal, print_json, say
from muster_server.device_text import plain, when
from muster_server.waves import wave_text, waves_in

_A_PAGE = 500
# In each state: what may be done next, and what that does.
_NEXT = {
    "running": (("stop", "gives it to no other device"),),
    "waiting": (("go-on", "begins the next wave"), ("abort", "gives all the version before")),
    "stopped": (
        ("go-on", "forgives what failed, and goes on"),
        ("abort", "gives all the version before"),
    ),
}
_REASONS = {"failures": "too many failed", "hand": "by hand"}


def begin_rollout(options: Namespace) -> int:
    """Put the profile's devices into waves, and begin the first one."""
    body = {
        "profile": options.name,
        "number": options.number,
        "waves": waves_in(options.waves),
        "automatic": options.automatic,
        "most_failed": options.most_failed,
        "need_percent": options.need_percent,
    }
    return _tell(options, at_portal(options, "POST", "/v1/rollouts", body))


def list_rollouts(options: Namespace) -> int:
    """A line for each roll-out, the newest first."""
    found = at_portal(options, "GET", "/v1/rollouts")
    if options.json:
        return print_json(found)
    return say(*[_line(one) for one in found["rollouts"]] or ["there is no roll-out yet"])


def show_rollout(options: Namespace) -> int:
    """Say how far it has come; with --devices, how each of them is."""
    if options.devices is None:
        return _tell(options, at_portal(options, "GET", _path(options)))
    devices = list(_devices(options))
    if options.json:
        return print_json({"devices": devices})
    return say(*[_member(device) for device in devices] or ["there is none"])


def do(options: Namespace) -> int:
    """Go on, stop, abort or finish, whichever was asked for."""
    return _tell(options, at_portal(options, "POST", f"{_path(options)}/{options.deed}"))


def _devices(options: Namespace) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after: str | None = ""
    state = {} if options.devices == "all" else {"state": options.devices}
    while after is not None:
        query = urlencode({"limit": _A_PAGE, "after": after, **state})
        page = at_portal(options, "GET", f"{_path(options)}/devices?{query}")
        found += page["devices"]
        after = page["next"]
    return found


def _path(options: Namespace) -> str:
    return f"/v1/rollouts/{quote(options.rollout, safe='')}"


def _tell(options: Namespace, one: dict[str, Any]) -> int:
    if options.json:
        return print_json(one)
    lines = [
        _line(one),
        f"instead of version {one['before']}; {one['failed']} failed, "
        f"and it stops at more than {one['most_failed'] + one['forgiven']}",
        *(_wave(n, wave, one) for n, wave in enumerate(one["waves"], 1)),
        *(
            f"muster rollout {deed} {one['id']}   {does}"
            for deed, does in _NEXT.get(one["state"], ())
        ),
    ]
    return say(*lines)


def _line(one: dict[str, Any]) -> str:
    reason = f" ({_REASONS.get(one['reason'], one['reason'])})" if one["reason"] else ""
    about = f"version {one['number']} of {one['profile']}"
    where = f"wave {one['wave']} of {len(one['waves'])}"
    since = f"{when(one['created_at'])}, by {one['by']}"
    return plain(f"{one['id']}  {about}: {one['state']}{reason}, {where}; since {since}")


def _wave(number: int, wave: dict[str, Any], one: dict[str, Any]) -> str:
    mark = ">" if number == one["wave"] else " "
    states = ", ".join(f"{count} {state}" for state, count in sorted(wave["states"].items()))
    name = plain(wave_text(wave))
    return f"{mark} wave {number:<3} {name:<16} {wave['total']:>7} devices  {states}".rstrip()


def _member(device: dict[str, Any]) -> str:
    told = (device["failure"] or {}).get("sentence", "")
    text = f"{device['device_id']:<32}  wave {device['wave']:<3} {device['rollout']:<9}  {told}"
    return plain(text.rstrip())
