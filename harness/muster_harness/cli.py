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


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="for scripts")


def _port(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", metavar="PORT", help="the board's port [MUSTER_PORT]")


def _info(parser: argparse.ArgumentParser) -> None:
    _port(parser)
    _json(parser)


def _deploy(parser: argparse.ArgumentParser) -> None:
    option = parser.add_argument
    _port(parser)
    option("--board", metavar="NAME", help="a file of boards/; else the board is recognised")
    option("--form", choices=("mpy", "py"), default="mpy", help="compiled (mpy) or as source (py)")
    _firmware(parser)
    option("--force", action="store_true", help="replace files that others put there, unasked")
    option("--bundle", metavar="FILE", help="a configuration to be applied at the first start")
    _json(parser)


def _firmware(parser: argparse.ArgumentParser) -> None:
    option = parser.add_argument
    option("--source", metavar="DIR", help="the firmware's folder (this project's own)")
    option("--model", metavar="TEXT", help="what the product is called; else the board's name")
    option("--onboarding-ssid", metavar="SSID", help="also try this network for onboarding")
    option(
        "--onboarding-password-file", metavar="FILE", help="holds the passphrase of such networks"
    )


def _flash(parser: argparse.ArgumentParser) -> None:
    option = parser.add_argument
    option("--port", metavar="PORT", action="append", required=True, help="again for each board")
    option("--board", metavar="NAME", required=True, help="a file of boards/: chip, offset, pins")
    option("--image", metavar="FILE", required=True, help="MicroPython's .bin for that board")
    option("--erase", action="store_true", help="empty the flash first: files, settings, identity")
    option("--force", action="store_true", help="replace an identity and files that are there")
    option("--baud", type=int, metavar="N", default=460800, help="speed of writing (460800)")
    option("--bundle", metavar="FILE", help="of the label given: applied at the first start")
    _which_label(parser)
    _firmware(parser)
    _label_book(parser)
    _json(parser)


def _label(parser: argparse.ArgumentParser) -> None:
    _port(parser)
    _label_book(parser)
    parser.add_argument("--force", action="store_true", help="do not ask whether it may replace")
    _json(parser)


def _label_book(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--csv", metavar="FILE", default="labels.csv", help="a line is added (labels.csv)"
    )


def _label_write(parser: argparse.ArgumentParser) -> None:
    _which_label(parser)
    _label(parser)


def _which_label(parser: argparse.ArgumentParser) -> None:
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument("--id", metavar="ID", help="of the new label; else a random one")
    chosen.add_argument(
        "--label-file", metavar="FILE", help="holds the label to be written; - for standard input"
    )


def _log(parser: argparse.ArgumentParser) -> None:
    _port(parser)
    parser.add_argument("--restart", action="store_true", help="let the program begin anew first")
    parser.add_argument("--seconds", type=float, metavar="N", help="stop then; else at Ctrl-C")


def _emulate(parser: argparse.ArgumentParser) -> None:
    option = parser.add_argument
    option("--directory", metavar="DIR", help="keeps flash and log; else they go at the end")
    option("--tcp", type=int, metavar="N", default=0, help="TCP port for socket:// (any)")
    option("--air", metavar="FILE", help="TOML with [[access_point]]: ssid, password, channel, …")
    option("--address", metavar="A", help="where servers reach its networks (127.77.1.1)")
    option("--servers", action="store_true", help="run the servers, too, and prepare a device")
    option("--board", metavar="NAME", default="EMULATED", help="a file of boards/ (EMULATED)")
    option("--heap", metavar="SIZE", default="512K", help="MicroPython's heap (512K)")


def _board_check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="+", help="a board file")


def _completion(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=("bash", "zsh", "tcsh"), help="which shell")


def _bundle(parser: argparse.ArgumentParser) -> None:
    _port(parser)
    _json(parser)


def _bundle_send(parser: argparse.ArgumentParser) -> None:
    option = parser.add_argument
    option("file", metavar="FILE", help="the bundle, e.g. PRESS-4.muster; - for standard input")
    option("--no-wait", action="store_true", help="do not wait for the trial's outcome")
    option(
        "--timeout",
        type=float,
        metavar="SECONDS",
        default=180.0,
        help="for the transfer, and again for the trial (180)",
    )
    _bundle(parser)


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
        _json,
        "boards.list_units",
    ),
    Command(
        ("info",),
        "Ask a board what it is and holds; its program begins anew after that.",
        ("muster-unit info --port /dev/ttyUSB0", "muster-unit info --port socket://bench:4000"),
        _info,
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
        _deploy,
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
        _flash,
        "manufacturing.flash",
    ),
    Command(
        ("label", "write"),
        "Make a label, or take one, and write its identity to a board that has the firmware.",
        (
            "muster-unit label write --port /dev/ttyUSB0",
            "muster-unit label write --port /dev/ttyUSB0 --id PRESS-4",
            "muster-unit label write --port /dev/ttyUSB0 --label-file - < label.txt",
        ),
        _label_write,
        "labels.write",
    ),
    Command(
        ("label", "reissue"),
        "Give a board a new secret under its old id; the old label becomes useless.",
        ("muster-unit label reissue --port /dev/ttyUSB0",),
        _label,
        "labels.reissue",
    ),
    Command(
        ("bundle", "send"),
        "Send a bundle to a device while its application runs, and show the receipt.",
        (
            "muster-unit bundle send --port /dev/ttyUSB0 PRESS-4.muster",
            "muster-unit bundle send --port socket://bench:4000 - < PRESS-4.muster",
        ),
        _bundle_send,
        "bundles.send",
    ),
    Command(
        ("bundle", "status"),
        "Ask a device what became of the last bundle, and for its receipt.",
        ("muster-unit bundle status --port /dev/ttyUSB0",),
        _bundle,
        "bundles.status",
    ),
    Command(
        ("log",),
        "Follow a board's log, with the nine steps made plain, until Ctrl-C.",
        (
            "muster-unit log --port /dev/ttyUSB0",
            "muster-unit log --port /dev/ttyUSB0 --restart --seconds 60",
        ),
        _log,
        "boards.log",
    ),
    Command(
        ("timeline",),
        "Show what a device has recorded of its steps, resets or not; its program begins anew.",
        (
            "muster-unit timeline --port /dev/ttyUSB0",
            "muster-unit timeline --port /dev/ttyUSB0 --json",
        ),
        _info,
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
        _emulate,
        "emulate.emulate",
    ),
    Command(
        ("completion",),
        "Print a script that lets your shell complete commands and options.",
        (
            "muster-unit completion bash > ~/.local/share/bash-completion/completions/muster-unit",
            "muster-unit completion zsh > ~/.zfunc/_muster-unit",
        ),
        _completion,
        "completion.print_completion",
    ),
    Command(
        ("board", "check"),
        "Say what is wrong with a board file.",
        ("muster-unit board check boards/MY_BOARD.toml",),
        _board_check,
        "boards.check_boards",
    ),
)
