# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The options of each command of `muster`."""

import argparse
import os

from muster_server.api.bounds import LABELS
from muster_server.label_sizes import SHEETS, USUAL
from muster_server.settings import ROLES


def serve_options(parser: argparse.ArgumentParser) -> None:
    def option(name: str, help: str, **more: object) -> None:
        variable = "MUSTER_" + name.lstrip("-").replace("-", "_").upper()
        parser.add_argument(name, help=f"{help} [{variable}]", **more)  # type: ignore[arg-type]

    several = {"action": "append", "metavar": "A:P"}
    proxies = {"action": "append", "metavar": "A"}
    yes = {"action": "store_const", "const": "yes"}
    option("--role", "run this role; may be given again", action="append", choices=ROLES)
    option("--data", "where databases and keys are kept", metavar="DIR")
    option("--store", "a PostgreSQL in place of SQLite in --data", metavar="URL")
    option("--workers", "so many processes, with --store (1)", metavar="N")
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
    option("--trusted-proxy", "believe its X-Forwarded-For; may be given again", **proxies)
    option("--operations-listen", "answer /health, /ready and /metrics here", metavar="A:P")
    option("--log-format", "text (default) or json", choices=("text", "json"))
    rate = {"metavar": "N/S"}
    option("--limit-address", "syncs of an address: at once/a second (60/10)", **rate)
    option("--limit-device", "syncs of a device at an address (20/1)", **rate)
    option("--limit-strangers", "syncs that no key opens, in all (200/20)", **rate)
    option("--syncs-at-once", "that are worked at, on PostgreSQL (32)", metavar="N")
    option("--syncs-waiting", "for that; more are told to come again (512)", metavar="N")
    option("--notify-network", "inside, platform and webhooks send there", **proxies)
    option("--platforms-file", "platforms of others, and who may change", metavar="FILE")
    option("--firmware", "for the page that prepares boards: of muster-unit pack", metavar="DIR")
    option("--insecure", "let the portal listen beyond this machine without TLS", **yes)
    option("--advertise", "answer DNS-SD queries (default yes)", choices=("yes", "no"))


def backup_key(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", help="where to write the private key")


def backup_make(parser: argparse.ArgumentParser) -> None:
    data_dir(parser)
    parser.add_argument("--to", required=True, metavar="FILE", help="the backup, not yet there")
    parser.add_argument("--recipient", required=True, help="the public key, age1…")


def backup_restore(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", help="the backup")
    data_dir(parser)
    parser.add_argument(
        "--identity-file", required=True, metavar="FILE", help="with the private key"
    )


def store_copy(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", help="the data folder with SQLite's files")
    parser.add_argument(
        "store", nargs="?", help="an empty database of PostgreSQL (default: MUSTER_STORE)"
    )


def store_reopen(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", help="the data folder with SQLite's files")


def hotspot_options(parser: argparse.ArgumentParser) -> None:
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
    serve_options(parser)


def client_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--portal", metavar="URL", help="the portal [MUSTER_PORTAL_URL]")
    parser.add_argument(
        "--token-file", metavar="FILE", help="holds the access token [or it is in MUSTER_TOKEN]"
    )
    parser.add_argument("--ca-file", metavar="FILE", help="whom to trust [MUSTER_CA_FILE]")
    parser.add_argument("--json", action="store_true", help="for scripts")


def new_label(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--id", help="the device id; a random one otherwise")
    parser.add_argument(
        "-n",
        "--number",
        type=_number_of_labels,
        default=1,
        metavar="N",
        help="so many, as CSV (1)",
    )
    parser.add_argument("--svg", metavar="FILE", help="draw the QR code there")
    parser.add_argument("--png", metavar="FILE", help="the same, in dots")
    parser.add_argument("--json", action="store_true", help="for scripts")


def label_sheet(parser: argparse.ArgumentParser) -> None:
    option = parser.add_argument
    option("file", help="the labels, as muster label new -n writes them; - for standard input")
    option("--pdf", metavar="FILE", required=True, help="what is to be printed")
    option(
        "--size",
        default=USUAL,
        help=f"the sheet: {', '.join(SHEETS)} and more; or a roll, e.g. 62x29 mm ({USUAL})",
    )
    option(
        "--first", metavar="N", type=int, default=1, help="the first free place of a used sheet"
    )
    option("--outline", action="store_true", help="draw the labels' edges, to try it on paper")


def _number_of_labels(text: str) -> int:
    number = int(text) if text.isdecimal() and text.isascii() else 0
    if not 1 <= number <= LABELS[1]:
        raise argparse.ArgumentTypeError(f"wanted 1 to {LABELS[1]}, got {text}")
    return number


def dev_certs(parser: argparse.ArgumentParser) -> None:
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


def add_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "label",
        nargs="?",
        default="-",
        help="MUSTER:1:…; without it, or with -, it is read from standard input, or asked for",
    )
    parser.add_argument("--profile", required=True, help="the profile it is configured from")
    parser.add_argument("--name", default="", help="what people call it")
    parser.add_argument("--csv", metavar="FILE", help="a table with a label in each row")
    parser.add_argument("--dry-run", action="store_true", help="with --csv: judge, do nothing")
    client_options(parser)


def change_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", help="the device id")
    parser.add_argument("--name", help="what people call it from now on")
    parser.add_argument("--profile", help="what it is configured from, from its next contact on")
    parser.add_argument("--group", help="the group it is put into; an empty one: into none")
    parser.add_argument("--tags", help="its tags, with commas between them, in place of all")
    client_options(parser)


def one_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", help="the device id")
    client_options(parser)


def import_devices(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", help="one label per line, in the last column; - for stdin")
    client_options(parser)


def make_bundle(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", help="the device id")
    parser.add_argument(
        "--expires", metavar="30d", help="devices that know the time refuse it after that"
    )
    parser.add_argument(
        "--above",
        metavar="VERSION",
        type=int,
        default=0,
        help="a version that the device is known to have, e.g. after a restored backup",
    )
    parser.add_argument(
        "--without-wifi",
        action="store_true",
        help="leave the networks out: whoever is beside the device gives it one at its setup page",
    )
    _bundle_form(parser, "--out")
    client_options(parser)


def get_bundle(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", help="the device id")
    _bundle_form(parser, "file")
    client_options(parser)


def _bundle_form(parser: argparse.ArgumentParser, place: str) -> None:
    """`place` is the argument that says where it is written."""
    form = parser.add_mutually_exclusive_group()
    text = "write it here (<id>.muster); .svg and .png hold QR codes"
    if place.startswith("--"):
        form.add_argument(place, metavar="FILE", help=text)
    else:
        form.add_argument("out", metavar="FILE", nargs="?", help=text)
    form.add_argument("--text", action="store_true", help="print it, to be pasted")
    form.add_argument("--qr", action="store_true", help="show it as QR code, or several")
    parser.set_defaults(place=place)


def check_bundle(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", help="the bundle, or - to read it from standard input")
    client_options(parser)


def check_receipt(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", help="the device id")
    parser.add_argument("receipt", nargs="+", help="the eight characters that the device shows")
    client_options(parser)


def data_dir(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data",
        metavar="DIR",
        default=os.environ.get("MUSTER_DATA") or "muster-data",
        help="of the servers (muster-data) [MUSTER_DATA]",
    )


def rotate_tokens(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--role", action="append", choices=ROLES, help="this one's only; may be given again"
    )
    parser.add_argument(
        "--admin-token-file", metavar="FILE", help="write the administrator's here, and show none"
    )
    data_dir(parser)


def rotate_keys(parser: argparse.ArgumentParser) -> None:
    data_dir(parser)


def completion(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=("bash", "zsh", "tcsh"), help="which shell")
