# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The commands of `muster` that speak to a platform: rows of the table, and their options."""

import argparse

from muster_server.command import Command


def _check_platform(parser: argparse.ArgumentParser) -> None:
    option = parser.add_argument
    option("url", help="where the platform is, e.g. http://acme.example:8080")
    option("--cse", default="cse-in", help="the name of its CSE (cse-in)")
    option("--ca-file", metavar="FILE", help="its certificate authority, in PEM")
    option(
        "--admin",
        metavar="ORIGINATOR",
        help="its administrator's originator: nodes are tried with it, too",
    )
    option(
        "--platform-token-file",
        metavar="FILE",
        help="the administrator's token of a platform of Muster's own: accounts are made with it",
    )
    option("--json", action="store_true", help="for scripts")


COMMANDS = (
    Command(
        ("platform", "check"),
        "Try a oneM2M platform with originators to throw away: what it can, and how to set it "
        "up for devices. What was made there is removed again.",
        (
            "muster platform check http://acme.example:8080 --admin CAdmin",
            "muster platform check https://m2m.example:8422 --ca-file ca.pem "
            "--platform-token-file muster-data/platform-token",
        ),
        _check_platform,
        "check_platform",
        "muster_server.platform_commands",
    ),
)
