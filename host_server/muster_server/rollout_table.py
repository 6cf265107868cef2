# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Versions of profiles, `muster rollout` and `muster wifi` in the table of commands."""

import argparse
from collections.abc import Callable

from muster_server.cli_options import client_options
from muster_server.command import Command
from muster_server.profile_options import one_profile

_VERSIONS = "muster_server.version_commands"
_ROLLOUTS = "muster_server.rollout_commands"
_WIFI = "muster_server.wifi_commands"
_ID = "5f0c11d2a9e1b3c7"
_STATES = ("all", "waiting", "offered", "held", "succeeded", "failed")

Prepare = Callable[[argparse.ArgumentParser], None]


def _numbered(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="the profile's name")
    parser.add_argument("number", type=int, help="of its version")


def _compare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="the profile's name")
    parser.add_argument("old", type=int, help="a version's number")
    parser.add_argument("new", type=int, nargs="?", help="another one; by itself that in force")
    client_options(parser)


def _preview(parser: argparse.ArgumentParser) -> None:
    _numbered(parser)
    parser.add_argument("id", help="the device id")
    client_options(parser)


def _draft(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", help="the profile in TOML or JSON, or - for standard input")
    client_options(parser)


def _use(parser: argparse.ArgumentParser) -> None:
    _numbered(parser)
    client_options(parser)


def _begin(parser: argparse.ArgumentParser) -> None:
    _numbered(parser)
    option = parser.add_argument
    option(
        "--waves",
        default="",
        metavar="WAVES",
        help="e.g. '1, hall 3, 20 %%': a number of devices, a group, or a part; the rest follows",
    )
    option("--automatic", action="store_true", help="the next wave begins by itself")
    option("--most-failed", type=int, default=0, metavar="N", help="more stop it (0)")
    option(
        "--need-percent",
        type=int,
        default=100,
        metavar="N",
        help="so much of a wave has to succeed before the next one (100)",
    )
    client_options(parser)


def _one(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("rollout", help="the roll-out's id")
    client_options(parser)


def _show(parser: argparse.ArgumentParser) -> None:
    _one(parser)
    parser.add_argument(
        "--devices",
        nargs="?",
        const="all",
        choices=_STATES,
        help="how each device is, or each that is so",
    )


def _deed(deed: str) -> Prepare:
    def prepare(parser: argparse.ArgumentParser) -> None:
        _one(parser)
        parser.set_defaults(deed=deed)

    return prepare


def _network(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="the profile's name")
    parser.add_argument("ssid", help="the network, as muster profile show has it")
    client_options(parser)


def _change(parser: argparse.ArgumentParser) -> None:
    _network(parser)
    parser.add_argument("--draft", action="store_true", help="keep a version, to be rolled out")


def _retire(parser: argparse.ArgumentParser) -> None:
    _network(parser)
    parser.add_argument(
        "--though-lost", action="store_true", help="though devices have not got the new one"
    )


_DEEDS = {
    "go-on": "Begin the next wave, or go on after a stop.",
    "stop": "Give it to no other device until somebody goes on.",
    "abort": "Give all devices the version before.",
    "finish": "Put the version in force for all devices now.",
}

VERSION_COMMANDS = (
    Command(
        ("profile", "versions"),
        "List the versions of a profile, with how many devices run each.",
        ("muster profile versions press",),
        one_profile,
        "list_versions",
        _VERSIONS,
    ),
    Command(
        ("profile", "diff"),
        "Say what differs between two versions; of passwords, that they differ.",
        ("muster profile diff press 3", "muster profile diff press 3 5 --json"),
        _compare,
        "compare_versions",
        _VERSIONS,
    ),
    Command(
        ("profile", "preview"),
        "Show the configuration that a device would get from a version, without secrets.",
        ("muster profile preview press 5 PRESS-4",),
        _preview,
        "preview_version",
        _VERSIONS,
    ),
    Command(
        ("profile", "draft"),
        "Keep a version that is in force for nobody; passwords that are left out stay.",
        ("muster profile draft press.toml", "muster profile draft - < press.json"),
        _draft,
        "draft_version",
        _VERSIONS,
    ),
    Command(
        ("profile", "use"),
        "Put a version in force for all devices at once.",
        ("muster profile use press 4",),
        _use,
        "use_version",
        _VERSIONS,
    ),
)

ROLLOUT_COMMANDS = (
    Command(
        ("rollout", "begin"),
        "Bring a version of a profile to its devices, in waves.",
        (
            "muster rollout begin press 5 --waves '1, hall 3, 20 %'",
            "muster rollout begin press 5 --waves '10 %' --automatic --most-failed 3",
        ),
        _begin,
        "begin_rollout",
        _ROLLOUTS,
    ),
    Command(
        ("rollout", "list"),
        "List the roll-outs, the newest first.",
        ("muster rollout list",),
        client_options,
        "list_rollouts",
        _ROLLOUTS,
    ),
    Command(
        ("rollout", "show"),
        "Show how far a roll-out has come, or how each device is.",
        (f"muster rollout show {_ID}", f"muster rollout show {_ID} --devices failed"),
        _show,
        "show_rollout",
        _ROLLOUTS,
    ),
    *(
        Command(
            ("rollout", deed),
            summary,
            (f"muster rollout {deed} {_ID}",),
            _deed(deed),
            "do",
            _ROLLOUTS,
        )
        for deed, summary in _DEEDS.items()
    ),
)

WIFI_COMMANDS = (
    Command(
        ("wifi", "change"),
        "Give devices a network's new password beside the old one; they try both.",
        (
            "muster wifi change press factory               # asks for the new password",
            "muster wifi change press factory --draft < password.txt",
        ),
        _change,
        "begin_change",
        _WIFI,
    ),
    Command(
        ("wifi", "show"),
        "Say which passwords are changing, and how many devices have not got both.",
        ("muster wifi show press",),
        one_profile,
        "show_change",
        _WIFI,
    ),
    Command(
        ("wifi", "retire"),
        "Retire the old password; refused while devices have not got the new one.",
        ("muster wifi retire press factory",),
        _retire,
        "retire_old",
        _WIFI,
    ),
    Command(
        ("wifi", "take-back"),
        "Take the new password back: the old one stays.",
        ("muster wifi take-back press factory",),
        _network,
        "take_back",
        _WIFI,
    ),
)
