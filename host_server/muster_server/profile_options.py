# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The options of `muster profile` and `muster init`."""

import argparse

from muster_server.cli_options import client_options, data_dir


def new_profile(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="what it will be called, e.g. press")
    parser.add_argument("--out", metavar="FILE", help="where it is written (NAME.toml)")


def check_profile(parser: argparse.ArgumentParser) -> None:
    _file(parser)
    parser.add_argument("--json", action="store_true", help="for scripts")


def add_profile(parser: argparse.ArgumentParser) -> None:
    _file(parser)
    parser.add_argument(
        "--replace",
        action="store_true",
        help="in place of the one with this name; passwords that are left out stay",
    )
    client_options(parser)


def one_profile(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="the profile's name")
    client_options(parser)


def edit_profile(parser: argparse.ArgumentParser) -> None:
    one_profile(parser)
    _offline(parser)


def set_field(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="the profile's name")
    parser.add_argument("field", help="e.g. networks[0].psk, platform.url, app.interval_s")
    parser.add_argument(
        "value", nargs="?", help="text or JSON; a password is asked for, or read with -"
    )
    _offline(parser)
    client_options(parser)


def init(parser: argparse.ArgumentParser) -> None:
    option = parser.add_argument
    option("--address", metavar="A", help="this machine's, on the network of the devices")
    option("--ssid", help="the Wi-Fi network that the devices shall use")
    option("--password-file", metavar="FILE", help="holds its password; else it is asked for")
    option("--open", action="store_true", help="it has none")
    option("--platform", metavar="URL", help='"own", or where another one is')
    option("--cse", help="the name of its CSE (cse-in)")
    option("--platform-ca", metavar="FILE", help="its certificate authority, in PEM")
    option("--http", action="store_true", help="the own platform without TLS, for development")
    option("--country", metavar="CC", help="two letters, for the devices' radio")
    option("--profile", metavar="NAME", default="default", help="what the profile is called")
    _offline(parser)
    data_dir(parser)


def _file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", help="the profile in TOML or JSON, or - for standard input")
    _offline(parser)


def _offline(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--offline", action="store_true", help="do not try the platform")
