# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The command `muster`: the servers, and their clients. It never opens a port to a board."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module

from muster_server import cli_options, device_options
from muster_server.errors import HostError, ServiceUnreachable, SettingsError, Unauthorized
from muster_server.escaping import output_escaped

OK, REFUSED, USAGE, UNREACHABLE, UNAUTHORIZED = 0, 1, 2, 3, 4

_EPILOG = """exit codes:
  0  done
  1  the server said no, and the reason is on standard error
  2  the command was not understood, or a file or option is wrong
  3  a server could not be reached
  4  the access token is missing or not accepted

examples:
  muster serve
  muster label new
  muster profile add press.json
  muster device add - --profile press --name "press 4" < label.txt
  muster device show PRESS-4
"""


@dataclass(frozen=True)
class Command:
    """One row of the table of commands."""

    words: tuple[str, ...]  # e.g. ("device", "add")
    summary: str
    examples: tuple[str, ...]
    prepare: Callable[[argparse.ArgumentParser], None]
    function: str  # its name in the module, or "serve" or "hotspot"
    module: str = "muster_server.commands"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code. What came from outside reaches the terminal escaped."""
    options = _parser().parse_args(arguments)
    with output_escaped():
        return _run_and_tell(options)


def _run_and_tell(options: argparse.Namespace) -> int:
    try:
        return _run(options)
    except Unauthorized as error:
        return _fail(error, UNAUTHORIZED)
    except ServiceUnreachable as error:
        return _fail(error, UNREACHABLE)
    except SettingsError as error:
        return _fail(error, USAGE)
    except HostError as error:
        return _fail(error, REFUSED)
    except BrokenPipeError:
        # The reader has seen enough; say nothing more, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except KeyboardInterrupt:
        return 130


def _run(options: argparse.Namespace) -> int:
    # Late imports: no command shall wait for what another needs.
    if options.function == "serve":
        from muster_server.serve import serve
        from muster_server.settings import read_settings

        return serve(read_settings(vars(options), os.environ))
    if options.function == "hotspot":
        from muster_server import hotspot

        return hotspot.run(options)
    module = import_module(options.module)
    function: Callable[[argparse.Namespace], int] = getattr(module, options.function)
    return function(options)


def _fail(error: HostError, code: int) -> int:
    print(f"muster: {error}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="muster",
        description="Takes a MicroPython board from its box to a registered device.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    groups = parser.add_subparsers(metavar="command", required=True)
    nested: dict[str, argparse._SubParsersAction[argparse.ArgumentParser]] = {}
    for command in COMMANDS:
        *group, word = command.words
        place = groups
        if group:
            if group[0] not in nested:
                about = _GROUPS[group[0]]
                outer = groups.add_parser(group[0], help=about, description=about)
                nested[group[0]] = outer.add_subparsers(metavar="what", required=True)
            place = nested[group[0]]
        made = place.add_parser(
            word,
            help=command.summary,
            description=command.summary,
            epilog="examples:\n" + "\n".join(f"  {line}" for line in command.examples),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.prepare(made)
        made.set_defaults(function=command.function, module=command.module)
    return parser


_KEYS = "muster_server.key_commands"
_OFFLINE = "muster_server.offline_commands"
_DEVICES = "muster_server.device_commands"
_READING = "muster_server.reading_commands"

_GROUPS = {
    "label": "make labels",
    "token": "replace what opens a server's door",
    "keys": "replace the key that secrets are kept under",
    "certs": "make certificates for https",
    "device": "register devices and see how far they have come",
    "profile": "keep the templates that configurations are made from",
    "bundle": "configure a device without a network: make bundles, and see how far they came",
    "reader": "let backends read what your devices publish",
    "receipt": "enter what a device shows after it has tried its bundle",
}

COMMANDS = (
    Command(
        ("serve",),
        "Run portal, configuration server and platform, all or some.",
        (
            "muster serve",
            "muster serve --role portal --config-url https://config.example:8421",
            "muster serve --config-listen 192.168.4.1:8421 --config-listen 10.0.0.2:8421",
            "muster serve --platform-cert certs/server.pem --platform-key certs/server.key "
            "--ca-file certs/ca.pem",
        ),
        cli_options.serve_options,
        "serve",
    ),
    Command(
        ("hotspot",),
        "Bring up an onboarding network and serve on it; restore everything at the end "
        "(Linux with NetworkManager).",
        (
            "muster hotspot --dry-run",
            "muster hotspot --name desk --address 192.168.1.10",
            "muster hotspot --name desk --password-file passphrase.txt --role config "
            "--platform-public-url https://m2m.example:8422",
        ),
        cli_options.hotspot_options,
        "hotspot",
    ),
    Command(
        ("label", "new"),
        "Make a label: a device id and a secret, as text and as a QR code.",
        ("muster label new", "muster label new --id PRESS-4 --json"),
        cli_options.new_label,
        "new_label",
    ),
    Command(
        ("certs", "dev"),
        "Make an authority and a server's certificate, for development. Again: a new certificate.",
        (
            "muster certs dev --name m2m.example --name 192.168.1.10",
            "muster serve --platform-cert muster-certs/server.pem "
            "--platform-key muster-certs/server.key --ca-file muster-certs/ca.pem",
        ),
        cli_options.dev_certs,
        "make_certificates",
    ),
    Command(
        ("token", "rotate"),
        "Put another token in place of a role's: the administrator's (portal), and those that "
        "servers show each other.",
        (
            "muster token rotate                            # all three",
            "muster token rotate --role portal --admin-token-file token.txt",
        ),
        cli_options.rotate_tokens,
        "rotate_tokens",
        _KEYS,
    ),
    Command(
        ("keys", "rotate"),
        "Seal the configuration server's secrets with another key. The server may run; if this "
        "is cut off, run it again.",
        ("muster keys rotate", "muster keys rotate --data /srv/muster"),
        cli_options.rotate_keys,
        "rotate_keys",
        _KEYS,
    ),
    Command(
        ("device", "add"),
        "Register a device by its label (step 1). Again: open its window.",
        (
            "muster device add - --profile press < label.txt",
            'muster device add MUSTER:1:PRESS-4:AAAQ… --profile press --name "press 4"',
            "(what stands on a command line can be read by other users of the machine: prefer -)",
        ),
        cli_options.add_device,
        "add_device",
    ),
    Command(
        ("device", "list"),
        "List the devices, or those that fit: what each runs, how its newest attempt went, when "
        "it was heard last, what it waits for.",
        (
            "muster device list",
            "muster device list --attempt wifi_auth --profile press",
            "muster device list --silent-since 2d --json",
        ),
        device_options.list_devices,
        "list_devices",
        _DEVICES,
    ),
    Command(
        ("device", "show"),
        "Show what a device runs, how its newest attempt went, what it waits for, and the nine "
        "steps.",
        ("muster device show PRESS-4", "muster device show PRESS-4 --follow   # until Ctrl-C"),
        device_options.show_device,
        "show_device",
        _DEVICES,
    ),
    Command(
        ("device", "open"),
        "Open the onboarding window, so that the label can be used again.",
        ("muster device open PRESS-4",),
        cli_options.one_device,
        "open_device",
    ),
    Command(
        ("device", "release"),
        "End the ownership: the device's account is closed.",
        ("muster device release PRESS-4",),
        cli_options.one_device,
        "release_device",
    ),
    Command(
        ("device", "hand-over"),
        "Give a device to somebody else: end the ownership, and say what is left to do.",
        ("muster device hand-over PRESS-4",),
        cli_options.one_device,
        "hand_over",
    ),
    Command(
        ("device", "new-account"),
        "Give a device another account with its next version, e.g. after platform_conflict.",
        ("muster device new-account PRESS-4",),
        cli_options.one_device,
        "new_account",
    ),
    Command(
        ("device", "import"),
        "Register devices that are not sold yet, for their vendor.",
        ("muster device import labels.csv", "muster device import - < labels.csv"),
        cli_options.import_devices,
        "import_devices",
    ),
    Command(
        ("profile", "add"),
        "Keep a profile.",
        ("muster profile add press.json", "muster profile add press.json --replace"),
        cli_options.add_profile,
        "add_profile",
    ),
    Command(
        ("profile", "list"),
        "List the profiles.",
        ("muster profile list",),
        cli_options.client_options,
        "list_profiles",
    ),
    Command(
        ("profile", "show"),
        "Show a profile; its passwords are never shown.",
        ("muster profile show press",),
        cli_options.one_profile,
        "show_profile",
    ),
    Command(
        ("profile", "delete"),
        "Forget a profile that no device uses.",
        ("muster profile delete press",),
        cli_options.one_profile,
        "delete_profile",
    ),
    Command(
        ("bundle", "make"),
        "Seal a device's configuration into a bundle, which you carry to it. A newer one "
        "supersedes the older.",
        (
            "muster bundle make PRESS-4                     # writes PRESS-4.muster",
            "muster bundle make PRESS-4 --expires 30d --out /media/usb/PRESS-4.muster",
            "muster bundle make PRESS-4 --out press-4.svg   # QR code(s); large ones are several",
            "muster bundle make PRESS-4 --text | xclip",
        ),
        cli_options.make_bundle,
        "make_bundle",
        _OFFLINE,
    ),
    Command(
        ("bundle", "get"),
        "Get a device's newest bundle again, as it was made.",
        (
            "muster bundle get PRESS-4                      # writes PRESS-4.muster",
            "muster bundle get PRESS-4 press-4.png",
            "muster bundle get PRESS-4 --text | xclip",
        ),
        cli_options.get_bundle,
        "get_bundle",
        _OFFLINE,
    ),
    Command(
        ("bundle", "show"),
        "Show how far the bundles of a device have come.",
        ("muster bundle show PRESS-4",),
        cli_options.one_device,
        "show_bundles",
        _OFFLINE,
    ),
    Command(
        ("bundle", "check"),
        "Say which device a bundle is for, and how far it came: exit code 1 if it is superseded "
        "or has expired.",
        ("muster bundle check PRESS-4.muster", "muster bundle check - < PRESS-4.muster"),
        cli_options.check_bundle,
        "check_bundle",
        _OFFLINE,
    ),
    Command(
        ("receipt", "check"),
        "Enter the receipt that a device shows: exit code 0 if it runs its newest bundle.",
        ("muster receipt check PRESS-4 ABCD-EFGH",),
        cli_options.check_receipt,
        "check_receipt",
        _OFFLINE,
    ),
    Command(
        ("readings",),
        "Show what a device has published at its platform.",
        (
            "muster readings PRESS-4",
            "muster readings PRESS-4 --follow          # until Ctrl-C",
            "muster readings PRESS-4 --csv > press-4.csv",
        ),
        device_options.readings,
        "show_readings",
        _READING,
    ),
    Command(
        ("reader", "add"),
        "Make an account for a backend: it reads your devices at the platform, and does nothing "
        "else. Its token is shown this once.",
        ("muster reader add dashboard", "muster reader add dashboard --json"),
        device_options.one_reader,
        "add_reader",
        _READING,
    ),
    Command(
        ("reader", "list"),
        "List the readers; their tokens are never shown again.",
        ("muster reader list",),
        cli_options.client_options,
        "list_readers",
        _READING,
    ),
    Command(
        ("reader", "remove"),
        "Close a reader's account: its token is good for nothing from then on.",
        ("muster reader remove dashboard",),
        device_options.one_reader,
        "remove_reader",
        _READING,
    ),
    Command(
        ("timeline",),
        "What device, servers and platform saw of an onboarding, in one table; the first cause "
        "of a failure is marked.",
        ("muster timeline PRESS-4", "muster timeline PRESS-4 --json"),
        cli_options.one_device,
        "show_timeline",
        _OFFLINE,
    ),
)
