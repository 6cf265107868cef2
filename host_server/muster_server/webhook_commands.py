# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`muster webhook`: other servers are told what happens to the house's devices."""

from argparse import Namespace
from typing import Any
from urllib.parse import quote

from muster_server.commands import at_portal, print_json, say
from muster_server.device_text import plain, when
from muster_server.terminal import read_hidden

_STATES = {"delivered": "was taken", "waiting": "comes again", "given_up": "was given up"}


def add_webhook(options: Namespace) -> int:
    """Have a server told; the secret that messages are signed with is shown this once."""
    url = options.url
    if url == "-":
        url = read_hidden("URL of the webhook", "the URL").strip()
    made = at_portal(options, "POST", "/v1/webhooks", {"url": url, "events": options.event})
    if options.json:
        return print_json(made)
    return say(
        f"id      {made['id']}",
        f"secret  {made['secret']}",
        f"{plain(made['host'])} is told of: {', '.join(made['events'])}",
        "The secret is shown this once; a library of Standard Webhooks checks messages with it.",
        f"muster webhook test {made['id']}",
    )


def list_webhooks(options: Namespace) -> int:
    """A line for each, with how its newest message went."""
    found = at_portal(options, "GET", "/v1/webhooks")
    if options.json:
        return print_json(found)
    return say(*[_line(hook) for hook in found["webhooks"]] or ["there is no webhook yet"])


def test_webhook(options: Namespace) -> int:
    """Send a message that tells nothing; 1 if it was not taken."""
    message = at_portal(options, "POST", _path(options) + "/test")
    if options.json:
        print_json(message)
    else:
        say(_told(message))
    return 0 if message["state"] == "delivered" else 1


def enable_webhook(options: Namespace) -> int:
    """Have it told again, of what happens from now on."""
    hook = at_portal(options, "POST", _path(options) + "/enable")
    return print_json(hook) if options.json else say(_line(hook))


def remove_webhook(options: Namespace) -> int:
    """Forget it."""
    at_portal(options, "DELETE", _path(options))
    return print_json({}) if options.json else 0


def _path(options: Namespace) -> str:
    return f"/v1/webhooks/{quote(options.webhook, safe='')}"


def _line(hook: dict[str, Any]) -> str:
    state = "on" if hook["is_enabled"] else "switched off"
    if hook["is_enabled"] and hook["failing_since"]:
        state = f"takes nothing since {when(hook['failing_since'])}"
    newest = f"; newest: {_told(hook['messages'][0])}" if hook["messages"] else ""
    about = f"{hook['id']}  {hook['host']}: {', '.join(hook['events'])}"
    return plain(f"{about}; {state}, {hook['waiting']} wait{newest}")


def _told(message: dict[str, Any]) -> str:
    outcome = f" ({message['outcome']})" if message["outcome"] else ""
    return plain(f"{message['event']} {_STATES[message['state']]}{outcome}")
