# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`muster command`: tells a device's application something, and what it answered."""

import json
import sys
import time
from argparse import Namespace
from typing import Any
from urllib.parse import quote

from muster_server.api.bounds import COMMAND_LIFE_S
from muster_server.commands import at_portal, device_path, print_json, read_text, say
from muster_server.device_text import plain, when
from muster_server.document import parse_json
from muster_server.durations import seconds_of
from muster_server.errors import Invalid, ServiceUnreachable, SettingsError

NOT_IN_TIME = 5  # exit code
_LOOK_S = 0.5
_LONGEST_WAIT_S = 86_400


def command_device(options: Namespace) -> int:
    """Tell it, or look for what it answered; with --wait, until it has.

    SettingsError if the options contradict each other or the value is no JSON.
    """
    if (options.value is None) == (options.result is None):
        raise SettingsError("give what to tell the device, in JSON, or --result COMMAND_ID")
    if options.result is not None and options.expires is not None:
        raise SettingsError("--result looks for an answer: --expires means nothing there")
    if options.timeout is not None and not options.wait:
        raise SettingsError("--timeout says how long --wait waits: give --wait, too")
    patience_s = seconds_of(options.timeout or "30s", "--timeout", (1, _LONGEST_WAIT_S))
    path = device_path(options) + "/commands"
    if options.result is None:
        body: dict[str, Any] = {"value": _value(options.value)}
        if options.expires is not None:
            body["life_s"] = seconds_of(options.expires, "--expires", COMMAND_LIFE_S)
        command = at_portal(options, "POST", path, body)
    else:
        command = at_portal(options, "GET", f"{path}/{quote(options.result, safe='')}")
    if options.wait and command["state"] == "waiting":
        command = _answered(options, path, command, patience_s)
    return _tell(options, command)


def _value(text: str) -> Any:
    if text == "-":
        text = read_text("-")
    try:
        return parse_json(text)
    except Invalid as error:
        raise SettingsError(
            f"""what to tell the device: {error}; e.g. '{{"led": true}}', in quotation marks"""
        ) from None


def _answered(
    options: Namespace, path: str, command: dict[str, Any], patience_s: float
) -> dict[str, Any]:
    """The command as it is when it waits no longer, or when patience ends; through restarts of
    the servers, unless those do not come back in time.
    """
    address = f"{path}/{quote(command['id'], safe='')}"
    deadline, is_told = time.monotonic() + patience_s, False
    while True:
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            return command
        time.sleep(min(_LOOK_S, left_s))
        try:
            command = at_portal(options, "GET", address)
        except ServiceUnreachable as error:
            if time.monotonic() > deadline:
                raise
            if not is_told:
                print(f"muster: {error}; it is asked again", file=sys.stderr)
            is_told = True
        if command["state"] != "waiting":
            return command


def _tell(options: Namespace, command: dict[str, Any]) -> int:
    state = command["state"]
    code = {"failed": 1, "gone": 1, "waiting": NOT_IN_TIME if options.wait else 0}.get(state, 0)
    if options.json:
        print_json(command)
        return code
    device_id, id_ = command["device_id"], plain(command["id"])
    ends = "" if command["expires_at"] is None else f" until {when(command['expires_at'])}"
    said = plain(json.dumps(command["result"], ensure_ascii=False))
    words = {
        "done": f"{device_id} has done it: {said}",
        "failed": f"{device_id} has not done it: {said}",
        "gone": f"{id_} neither waits nor has a result: it expired before {device_id} looked, or "
        "its result made way for newer ones",
        "waiting": f"{id_} waits for {device_id}{ends}",
    }
    if state != "waiting":
        say(words[state])
        return code
    if options.wait:
        print(
            f"muster: {device_id} has not answered in time; it may be off, asleep or without "
            "network, and is told when it looks again",
            file=sys.stderr,
        )
    say(words[state], f"its answer: muster command {device_id} --result {id_}")
    return code
