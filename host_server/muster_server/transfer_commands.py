# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`muster transfer`: a device goes to its next owner by a code."""

from argparse import Namespace

from muster_server.commands import at_portal, device_path, print_json, say
from muster_server.device_text import plain, when
from muster_server.terminal import read_hidden


def make_code(options: Namespace) -> int:
    """Make a code for the next owner; it is shown this once."""
    made = at_portal(options, "POST", device_path(options) + "/transfer-code")
    if options.json:
        return print_json(made)
    return say(
        made["code"],
        f"good once, until {when(made['expires_at'])}, and not shown again; until then "
        f"{plain(made['device_id'])} is yours",
    )


def show_code(options: Namespace) -> int:
    """Say whether a code is out, and until when."""
    found = at_portal(options, "GET", device_path(options) + "/transfer-code")
    if options.json:
        return print_json(found)
    return say(f"a code is out until {when(found['expires_at'])}, made by {plain(found['by'])}")


def withdraw_code(options: Namespace) -> int:
    """Make the code good for nothing."""
    at_portal(options, "DELETE", device_path(options) + "/transfer-code")
    return print_json({}) if options.json else say("no code is good for it any more")


def take_device(options: Namespace) -> int:
    """Take a device over; the code is asked for, or read from standard input."""
    code = read_hidden("code of its former owner", "the code").strip()
    body = {"code": code, "profile": options.profile, "name": options.name}
    device = at_portal(options, "POST", "/v1/transfers", body)
    if options.json:
        return print_json(device)
    return say(
        f"{plain(device['device_id'])} is yours; it forgets what it had when it next asks",
        f"muster device show {plain(device['device_id'])} --follow",
    )


def list_given_away(options: Namespace) -> int:
    """Say which devices others have taken over, and what is left to do for whoever had them."""
    found = at_portal(options, "GET", "/v1/transfers")
    if options.json:
        return print_json(found)
    lines = []
    for one in found["transfers"]:
        device_id = plain(one["device_id"])
        lines.append(f"{device_id} has gone to its next owner. What is left to do:")
        lines += [f"  {n}. {plain(text)}" for n, text in enumerate(one["to_do"], 1)]
        lines.append(f"  then: muster transfer done {device_id}")
    return say(*lines or ["nothing is left to do"])


def all_done(options: Namespace) -> int:
    """Note that nothing is left to do."""
    at_portal(options, "POST", device_path(options) + "/handed-over")
    return print_json({}) if options.json else 0
