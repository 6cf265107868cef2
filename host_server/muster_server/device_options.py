# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The options of the commands that look at devices and their readings."""

import argparse

from muster_server.cli_options import client_options, one_device

_STATES = ("prepared", "waiting", "handed_out", "applied", "registered", "failed")
_WHO = ("you", "device", "platform", "nothing")


def show_device(parser: argparse.ArgumentParser) -> None:
    one_device(parser)
    parser.add_argument(
        "--follow", action="store_true", help="go on with what changes, until Ctrl-C"
    )


def list_devices(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--state", choices=_STATES, help="only those in this state")
    parser.add_argument(
        "--attempt",
        metavar="CODE",
        help="only those whose newest attempt ended so: an outcome code, under_way or none",
    )
    parser.add_argument("--waiting-for", choices=_WHO, help="only those that wait for this")
    parser.add_argument("--profile", help="only those that are configured from it")
    parser.add_argument(
        "--behind", action="store_true", help="with --profile: only without its version in force"
    )
    parser.add_argument("--group", help="only those in this group")
    parser.add_argument("--tag", help="only those with this tag")
    parser.add_argument("--sort", choices=("id", "name", "heard"), help="by id, unless said")
    parser.add_argument("--search", metavar="TEXT", help="only those with this in id or name")
    parser.add_argument(
        "--silent-since", metavar="2d", help="only those not heard of since: 30m, 2h, 3d or a date"
    )
    client_options(parser)


def readings(parser: argparse.ArgumentParser) -> None:
    one_device(parser)
    parser.add_argument(
        "--follow", action="store_true", help="go on with those that come, until Ctrl-C"
    )
    parser.add_argument("--csv", action="store_true", help="comma-separated, for a table")


def command(parser: argparse.ArgumentParser) -> None:
    one_device(parser)
    option = parser.add_argument
    option("value", nargs="?", help="what its application is told, in JSON; - for stdin")
    option("--wait", action="store_true", help="until it has answered: exit code 1 if it failed")
    option("--timeout", metavar="30s", help="wait so long at most (30s), then exit with 5")
    option("--expires", metavar="1d", help="it is not told after that (1d)")
    option("--result", metavar="COMMAND_ID", help="what it answered to a former command")


def new_reader(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--application", action="store_true", help="it may give commands to the devices, too"
    )
    one_reader(parser)


def one_reader(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="what the reader is called, e.g. dashboard")
    client_options(parser)
