# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The rows of `muster task` in the table of commands, with their options."""

import argparse

from muster_server import device_options
from muster_server.cli_options import client_options
from muster_server.command import Command

_TASKS = "muster_server.task_commands"


def _claim(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", help="a table with a label in each row; - for stdin")
    parser.add_argument("--profile", required=True, help="what the devices are configured from")
    client_options(parser)


def _change(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", nargs="*", help="device ids; without any, all that fit")
    parser.add_argument("--new-profile", metavar="PROFILE", help="what they get from now on")
    parser.add_argument("--new-group", metavar="GROUP", help="their group; an empty one: none")
    parser.add_argument("--add-tags", dest="added_tags", metavar="TAGS", help="with commas")
    parser.add_argument("--remove-tags", dest="removed_tags", metavar="TAGS", help="with commas")
    device_options.list_devices(parser)


def _one(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("task", help="the task's id")
    client_options(parser)


def _show(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--csv", action="store_true", help="the verdict on each row, for a table")
    _one(parser)


TASK_COMMANDS = (
    Command(
        ("task", "claim"),
        "Try a table of labels at the portal; nothing is kept until `muster task start`.",
        ("muster task claim labels.csv --profile press",),
        _claim,
        "claim_many",
        _TASKS,
    ),
    Command(
        ("task", "change"),
        "Give many devices another profile or group, or other tags.",
        (
            "muster task change --group 'hall 3' --new-profile press-2",
            "muster task change PRESS-4 PRESS-5 --add-tags spare,old",
        ),
        _change,
        "change_many",
        _TASKS,
    ),
    Command(
        ("task", "list"),
        "List the tasks of the portal, the newest first.",
        ("muster task list",),
        client_options,
        "list_tasks",
        _TASKS,
    ),
    Command(
        ("task", "show"),
        "Show how far a task has come, or the verdict on each row.",
        ("muster task show 5f0c11d2a9e1b3c7", "muster task show 5f0c11d2a9e1b3c7 --csv > v.csv"),
        _show,
        "show_task",
        _TASKS,
    ),
    Command(
        ("task", "start"),
        "Do what was tried.",
        ("muster task start 5f0c11d2a9e1b3c7",),
        _one,
        "start_task",
        _TASKS,
    ),
    Command(
        ("task", "end"),
        "Stop and forget a task; what it has done stays.",
        ("muster task end 5f0c11d2a9e1b3c7",),
        _one,
        "end_task",
        _TASKS,
    ),
)
