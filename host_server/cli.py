# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The command `muster`: the servers, and their clients. It never opens a port to a board."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from host_server.errors import HostError, ServiceUnreachable, SettingsError, Unauthorized
from host_server.settings import ROLES

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
    function: str  # its name in host_server.commands, or "serve" or "hotspot"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code."""
    options = _parser().parse_args(arguments)
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
        from host_server.serve import serve
        from host_server.settings import read_settings

        return serve(read_settings(vars(options), os.environ))
    if options.function == "hotspot":
        from host_server import hotspot

        return hotspot.run(options)
    from host_server import commands

    function: Callable[[argparse.Namespace], int] = getattr(commands, options.function)
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
        made.set_defaults(function=command.function)
    return parser


def _serve_options(parser: argparse.ArgumentParser) -> None:
    def option(name: str, help: str, **more: object) -> None:
        variable = "MUSTER_" + name.lstrip("-").replace("-", "_").upper()
        parser.add_argument(name, help=f"{help} [{variable}]", **more)  # type: ignore[arg-type]

    several = {"action": "append", "metavar": "A:P"}
    option("--role", "run this role; may be given again", action="append", choices=ROLES)
    option("--data", "where databases and keys are kept", metavar="DIR")
    option("--portal-listen", "default 127.0.0.1:8420", metavar="A:P")
    option("--config-listen", "default 127.0.0.1:8421; may be given again", **several)
    option("--platform-listen", "default 127.0.0.1:8422", metavar="A:P")
    secured = {"metavar": "FILE"}
    option("--portal-cert", "certificate of the portal, in PEM: it speaks https", **secured)
    option("--portal-key", "and its key; other users must not be able to read it", **secured)
    option("--platform-cert", "certificate of the platform: it speaks https", **secured)
    option("--platform-key", "and its key", **secured)
    option("--config-cert", "certificate of the configuration server", **secured)
    option("--config-key", "and its key", **secured)
    option("--config-tls-listen", "where it speaks https, for the portal", **several)
    option("--config-public-url", "where devices find the configuration server", metavar="URL")
    option("--platform-public-url", "where devices find the platform", metavar="URL")
    option("--config-url", "where the portal finds the configuration server", metavar="URL")
    option("--platform-url", "where the configuration server finds the platform", metavar="URL")
    option("--ca-file", "certificate authorities for those two, in PEM", metavar="FILE")
    option("--admin-token-file", "write the administrator's token here", metavar="FILE")
    option("--advertise", "answer DNS-SD queries (default yes)", choices=("yes", "no"))


def _hotspot_options(parser: argparse.ArgumentParser) -> None:
    option = parser.add_argument
    option("--name", default="setup", help='the network is called "MUSTER-" and this (setup)')
    option("--device", metavar="IF", help="the Wi-Fi device; else one that can, unused if any")
    option("--channel", type=int, choices=range(1, 12), default=6, help="in the 2.4 GHz band (6)")
    secret = parser.add_mutually_exclusive_group()
    secret.add_argument(
        "--password-file", metavar="FILE", help="WPA2 with the passphrase in it; else open"
    )
    secret.add_argument("--ask-password", action="store_true", help="WPA2, and ask for it")
    option(
        "--address",
        metavar="A",
        help="this machine's address on the operational network: there devices will find "
        "configuration server and platform",
    )
    option("--dry-run", action="store_true", help="show what would be done, and do nothing")
    _serve_options(parser)


def _client_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--portal", metavar="URL", help="the portal [MUSTER_PORTAL_URL]")
    parser.add_argument(
        "--token-file", metavar="FILE", help="holds the access token [or it is in MUSTER_TOKEN]"
    )
    parser.add_argument("--ca-file", metavar="FILE", help="whom to trust [MUSTER_CA_FILE]")
    parser.add_argument("--json", action="store_true", help="for scripts")


def _new_label(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--id", help="the device id; a random one otherwise")
    parser.add_argument("--json", action="store_true", help="for scripts")


def _dev_certs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out", metavar="DIR", default="muster-certs", help="where they go (muster-certs)"
    )
    parser.add_argument(
        "--name",
        metavar="NAME",
        action="append",
        default=[],
        help="host name or address of the server, besides localhost and 127.0.0.1; "
        "may be given again",
    )
    parser.add_argument("--days", type=int, default=397, help="how long they last (397)")


def _add_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("label", help="MUSTER:1:…, or - to read it from standard input")
    parser.add_argument("--profile", required=True, help="the profile it is configured from")
    parser.add_argument("--name", default="", help="what people call it")
    _client_options(parser)


def _one_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", help="the device id")
    _client_options(parser)


def _import_devices(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", help="one label per line, in the last column; - for stdin")
    _client_options(parser)


def _add_profile(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", help="the profile as JSON, or - to read it from standard input")
    parser.add_argument(
        "--replace", action="store_true", help="in place of the one with this name"
    )
    _client_options(parser)


def _one_profile(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="the profile's name")
    _client_options(parser)


_GROUPS = {
    "label": "make labels",
    "certs": "make certificates for https",
    "device": "register devices and see how far they have come",
    "profile": "keep the templates that configurations are made from",
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
        _serve_options,
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
        _hotspot_options,
        "hotspot",
    ),
    Command(
        ("label", "new"),
        "Make a label: a device id and a secret, as text and as a QR code.",
        ("muster label new", "muster label new --id PRESS-4 --json"),
        _new_label,
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
        _dev_certs,
        "make_certificates",
    ),
    Command(
        ("device", "add"),
        "Register a device by its label (step 1). Again: open its window.",
        (
            "muster device add - --profile press < label.txt",
            'muster device add MUSTER:1:PRESS-4:AAAQ… --profile press --name "press 4"',
            "(what stands on a command line can be read by other users of the machine: prefer -)",
        ),
        _add_device,
        "add_device",
    ),
    Command(
        ("device", "list"),
        "List the devices.",
        ("muster device list", "muster device list --json"),
        _client_options,
        "list_devices",
    ),
    Command(
        ("device", "show"),
        "Show the nine steps of a device.",
        ("muster device show PRESS-4",),
        _one_device,
        "show_device",
    ),
    Command(
        ("device", "open"),
        "Open the onboarding window, so that the label can be used again.",
        ("muster device open PRESS-4",),
        _one_device,
        "open_device",
    ),
    Command(
        ("device", "release"),
        "End the ownership: the device's account is closed.",
        ("muster device release PRESS-4",),
        _one_device,
        "release_device",
    ),
    Command(
        ("device", "import"),
        "Register devices that are not sold yet, for their vendor.",
        ("muster device import labels.csv", "muster device import - < labels.csv"),
        _import_devices,
        "import_devices",
    ),
    Command(
        ("profile", "add"),
        "Keep a profile.",
        ("muster profile add press.json", "muster profile add press.json --replace"),
        _add_profile,
        "add_profile",
    ),
    Command(
        ("profile", "list"),
        "List the profiles.",
        ("muster profile list",),
        _client_options,
        "list_profiles",
    ),
    Command(
        ("profile", "show"),
        "Show a profile; its passwords are never shown.",
        ("muster profile show press",),
        _one_profile,
        "show_profile",
    ),
)
