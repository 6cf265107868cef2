# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The command `muster-unit`: boards on a desk, real or emulated."""

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from muster_harness import options as takes
from muster_harness.errors import (
    BoardError,
    BundleRefused,
    DeployError,
    FilesystemFull,
    ForeignFiles,
    HarnessError,
    IdentityPresent,
    LabelRefused,
    NotMicroPython,
    PortError,
    WrongBoard,
)
from muster_harness.terminal import Parser, carry_any_text, complain, error_json, helped

OK, FAILED, INTERRUPTED = 0, 1, 130
# The first line that fits counts: special ones before general ones.
EXITS: tuple[tuple[type[HarnessError], int], ...] = (
    (PortError, 3),
    (NotMicroPython, 4),
    (WrongBoard, 5),
    (ForeignFiles, 5),
    (IdentityPresent, 5),
    (LabelRefused, 5),
    (BundleRefused, 5),
    (FilesystemFull, 6),
    (DeployError, 7),
    (BoardError, 4),
)

_EPILOG = """exit codes:
  0  done
  1  it failed for another reason than these
  2  the command was not understood
  3  the port is absent, in use, not permitted, or has vanished
  4  no MicroPython board answers there
  5  refused: another board, an identity or files that are there, no label, no bundle
  6  the board's filesystem is full
  7  the firmware or the identity could not be written

A port is a path (/dev/ttyUSB0), a USB serial number, socket://host:port or rfc2217://host:port.
Without --port, $MUSTER_PORT is taken, or the only USB serial port there is.

examples:
  muster-unit list
  muster-unit deploy --port /dev/ttyUSB0
  muster-unit label write --port /dev/ttyUSB0
  muster-unit log --port /dev/ttyUSB0 --restart
  muster-unit emulate
"""


@dataclass(frozen=True)
class Command:
    """One row of the table of commands."""

    words: tuple[str, ...]  # e.g. ("label", "write")
    summary: str
    examples: tuple[str, ...]
    prepare: Callable[[argparse.ArgumentParser], None]
    function: str  # "module.function" below muster_harness.commands


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code (docs/muster-unit.md has the list)."""
    carry_any_text()
    words = sys.argv[1:] if arguments is None else arguments
    Parser.wants_json = "--json" in words
    options = parser().parse_args(words)
    try:
        return _run(options)
    except HarnessError as error:
        code = next((code for kind, code in EXITS if isinstance(error, kind)), FAILED)
        if Parser.wants_json:
            print(error_json(type(error).__name__, str(error), exit=code), file=sys.stderr)
        else:
            complain("muster-unit", str(error))
        return code
    except BrokenPipeError:
        # The reader has seen enough; say nothing more, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except KeyboardInterrupt:
        return INTERRUPTED


def _run(options: argparse.Namespace) -> int:
    if options.show_help is not None:
        options.show_help()
    # Imported late: no command shall wait for what another needs.
    module = importlib.import_module(f"muster_harness.commands.{options.module}")
    function: Callable[[argparse.Namespace], int] = getattr(module, options.function)
    return function(options)


def parser() -> argparse.ArgumentParser:
    """Build the command line; the tests of its documentation read it too."""
    made: argparse.ArgumentParser = Parser(
        prog="muster-unit",
        description="Deploys firmware and labels to boards, and emulates one.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--version", action="version", version=f"muster-unit {_version()}")
    made.set_defaults(show_help=helped(made), parser=made)
    groups = made.add_subparsers(metavar="command")
    nested: dict[str, argparse._SubParsersAction[argparse.ArgumentParser]] = {}
    for command in COMMANDS:
        *group, word = command.words
        place = groups
        if group:
            if group[0] not in nested:
                about = _GROUPS[group[0]]
                outer = groups.add_parser(group[0], help=about, description=about)
                outer.set_defaults(show_help=helped(outer))
                nested[group[0]] = outer.add_subparsers(metavar="what")
            place = nested[group[0]]
        one = place.add_parser(
            word,
            help=command.summary,
            description=command.summary,
            epilog="examples:\n" + "\n".join(f"  {line}" for line in command.examples),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.prepare(one)
        module, _, function = command.function.partition(".")
        one.set_defaults(module=module, function=function, show_help=None)
    return made


def _version() -> str:
    try:
        return version("muster-harness")
    except PackageNotFoundError:  # run from its folder
        return "of this folder, not installed"


_GROUPS = {
    "bundle": "bring a configuration to a device without a network",
    "label": "write labels to boards",
    "board": "board files: what is known of a type of board",
}

COMMANDS = (
    Command(
        ("list",),
        "List the USB serial ports, and which boards may be there.",
        ("muster-unit list", "muster-unit list --json"),
        takes.json,
        "boards.list_units",
    ),
    Command(
        ("info",),
        "Ask a board what it is and holds; its program begins anew after that.",
        ("muster-unit info --port /dev/ttyUSB0", "muster-unit info --port socket://bench:4000"),
        takes.info,
        "boards.info",
    ),
    Command(
        ("deploy",),
        "Compile the firmware, put it onto a board and verify it. Again: only what has changed.",
        (
            "muster-unit deploy --port /dev/ttyUSB0",
            "muster-unit deploy --port 0001 --board M5STACK_ATOM --model press",
            "muster-unit deploy --port rfc2217://bench:4000 --form py",
        ),
        takes.deploy,
        "boards.deploy_unit",
    ),
    Command(
        ("flash",),
        "Make devices of bare boards: write MicroPython, firmware and a label; test; note.",
        (
            "muster-unit flash --board ESP32_GENERIC --image generic.bin --port /dev/ttyUSB0",
            "muster-unit flash --board M5STACK_ATOM --image M5STACK_ATOM.bin --erase \\",
            "    --port /dev/ttyUSB0 --port /dev/ttyUSB1 --csv batch-7.csv",
        ),
        takes.flash,
        "manufacturing.flash",
    ),
    Command(
        ("pack",),
        "Pack the firmware for a portal, whose page puts it onto boards from a browser.",
        (
            "muster-unit pack firmware-kit",
            "muster-unit pack firmware-kit --image M5STACK_ATOM=M5STACK_ATOM.bin --model press",
        ),
        takes.pack,
        "packing.pack",
    ),
    Command(
        ("label", "write"),
        "Make a label, or take one, and write its identity to a board that has the firmware.",
        (
            "muster-unit label write --port /dev/ttyUSB0",
            "muster-unit label write --port /dev/ttyUSB0 --id PRESS-4",
            "muster-unit label write --port /dev/ttyUSB0 --label-file - < label.txt",
        ),
        takes.label_write,
        "labels.write",
    ),
    Command(
        ("label", "reissue"),
        "Give a board a new secret under its old id; the old label becomes useless.",
        ("muster-unit label reissue --port /dev/ttyUSB0",),
        takes.label,
        "labels.reissue",
    ),
    Command(
        ("bundle", "send"),
        "Send a bundle to a device while its application runs, and show the receipt.",
        (
            "muster-unit bundle send --port /dev/ttyUSB0 PRESS-4.muster",
            "muster-unit bundle send --port socket://bench:4000 - < PRESS-4.muster",
        ),
        takes.bundle_send,
        "bundles.send",
    ),
    Command(
        ("bundle", "status"),
        "Ask a device what became of the last bundle, and for its receipt.",
        ("muster-unit bundle status --port /dev/ttyUSB0",),
        takes.bundle,
        "bundles.status",
    ),
    Command(
        ("log",),
        "Follow a board's log, with the nine steps made plain, until Ctrl-C.",
        (
            "muster-unit log --port /dev/ttyUSB0",
            "muster-unit log --port /dev/ttyUSB0 --restart --seconds 60",
        ),
        takes.log,
        "boards.log",
    ),
    Command(
        ("record",),
        "Note a session with a board: all bytes in both directions, their times, and resets.",
        (
            "muster-unit record boot.jsonl --port /dev/ttyUSB0 --reset --seconds 10",
            "muster-unit record session.jsonl --port 0001",
            "(then type, or let other programs use the port that it prints)",
        ),
        takes.record,
        "sessions.record",
    ),
    Command(
        ("replay",),
        "Hold an emulated board, or another one, to a recorded session; a difference ends with 1.",
        (
            "muster-unit replay session.jsonl",
            "muster-unit replay session.jsonl --directory build/emulated --board M5STACK_ATOM",
            "muster-unit replay session.jsonl --port socket://127.0.0.1:4000 --ignore 'free: .*'",
        ),
        takes.replay,
        "sessions.replay",
    ),
    Command(
        ("timeline",),
        "Show what a device has recorded of its steps, resets or not; its program begins anew.",
        (
            "muster-unit timeline --port /dev/ttyUSB0",
            "muster-unit timeline --port /dev/ttyUSB0 --json",
        ),
        takes.info,
        "timeline.timeline",
    ),
    Command(
        ("emulate",),
        "Be a board with networks around it, on a pty and on TCP, until Ctrl-C.",
        (
            "muster-unit emulate",
            "muster-unit emulate --directory build/emulated --tcp 4000",
            "muster-unit emulate --directory build/emulated --servers",
            "(then type: press, press 5000, reset, off, on)",
        ),
        takes.emulate,
        "emulate.emulate",
    ),
    Command(
        ("completion",),
        "Print a script that lets your shell complete commands and options.",
        (
            "muster-unit completion bash > ~/.local/share/bash-completion/completions/muster-unit",
            "muster-unit completion zsh > ~/.zfunc/_muster-unit",
        ),
        takes.completion,
        "completion.print_completion",
    ),
    Command(
        ("board", "check"),
        "Say what is wrong with a board file.",
        ("muster-unit board check boards/MY_BOARD.toml",),
        takes.board_check,
        "boards.check_boards",
    ),
)
