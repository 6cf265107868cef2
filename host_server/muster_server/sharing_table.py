# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The rows of `muster transfer` and `muster webhook` in the table of commands."""

import argparse

from muster_server.cli_options import client_options, one_device
from muster_server.command import Command

_TRANSFERS = "muster_server.transfer_commands"
_WEBHOOKS = "muster_server.webhook_commands"
_ID = "5f0c11d2a9e1b3c7"


def _take(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--profile", required=True, help="what it is configured from")
    parser.add_argument("--name", default="", help="what people call it")
    client_options(parser)


def _add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("url", help="where it is told; - to be asked: many a URL is a password")
    parser.add_argument(
        "--event",
        action="append",
        required=True,
        metavar="EVENT",
        help="device.added, device.configured, device.failed, device.label_copied or "
        "device.removed; may be given again",
    )
    client_options(parser)


def _one(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("webhook", help="the webhook's id")
    client_options(parser)


TRANSFER_COMMANDS = (
    Command(
        ("transfer", "make"),
        "Make a code with which the next owner takes a device over; it is shown this once.",
        ("muster transfer make PRESS-4",),
        one_device,
        "make_code",
        _TRANSFERS,
    ),
    Command(
        ("transfer", "show"),
        "Say whether a code is out for a device, and until when.",
        ("muster transfer show PRESS-4",),
        one_device,
        "show_code",
        _TRANSFERS,
    ),
    Command(
        ("transfer", "withdraw"),
        "Make the code of a device good for nothing.",
        ("muster transfer withdraw PRESS-4",),
        one_device,
        "withdraw_code",
        _TRANSFERS,
    ),
    Command(
        ("transfer", "take"),
        "Take a device over with the code of its former owner.",
        (
            "muster transfer take --profile press           # asks for the code",
            "muster transfer take --profile press --name 'press 4' < code.txt",
        ),
        _take,
        "take_device",
        _TRANSFERS,
    ),
    Command(
        ("transfer", "list"),
        "List devices that others have taken over, with what is left to do for you.",
        ("muster transfer list",),
        client_options,
        "list_given_away",
        _TRANSFERS,
    ),
    Command(
        ("transfer", "done"),
        "Note that nothing is left to do for a device that is somebody else's now.",
        ("muster transfer done PRESS-4",),
        one_device,
        "all_done",
        _TRANSFERS,
    ),
)

WEBHOOK_COMMANDS = (
    Command(
        ("webhook", "add"),
        "Have another server told what happens to the house's devices.",
        (
            "muster webhook add https://example.org/muster --event device.failed",
            "muster webhook add - --event device.added --event device.removed  # asks for the URL",
        ),
        _add,
        "add_webhook",
        _WEBHOOKS,
    ),
    Command(
        ("webhook", "list"),
        "List the webhooks, with how their newest messages went.",
        ("muster webhook list",),
        client_options,
        "list_webhooks",
        _WEBHOOKS,
    ),
    Command(
        ("webhook", "test"),
        "Send a message that tells nothing, and say whether it was taken.",
        (f"muster webhook test {_ID}",),
        _one,
        "test_webhook",
        _WEBHOOKS,
    ),
    Command(
        ("webhook", "enable"),
        "Have a webhook told again, of what happens from now on.",
        (f"muster webhook enable {_ID}",),
        _one,
        "enable_webhook",
        _WEBHOOKS,
    ),
    Command(
        ("webhook", "remove"),
        "Forget a webhook, with all that waits for it.",
        (f"muster webhook remove {_ID}",),
        _one,
        "remove_webhook",
        _WEBHOOKS,
    ),
)
