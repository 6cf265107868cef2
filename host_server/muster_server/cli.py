# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The command `muster`: the servers, and their clients. It never opens a port to a board."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

from muster_server.command_table import COMMANDS, GROUPS
from muster_server.errors import HostError, ServiceUnreachable, SettingsError, Unauthorized
from muster_server.escaping import output_escaped
from muster_server.terminal import Parser, carry_any_text, complain, error_json, helped

OK, REFUSED, USAGE, UNREACHABLE, UNAUTHORIZED = 0, 1, 2, 3, 4

_EPILOG = """exit codes:
  0  done
  1  the server said no, and the reason is on standard error
  2  the command was not understood, or a file or option is wrong
  3  a server could not be reached
  4  the access token is missing or not accepted
  5  a device has not answered in time (muster command --wait)

examples:
  muster init
  muster serve
  muster label new
  muster device add --profile press --name "press 4"
  muster device show PRESS-4
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code. What came from outside reaches the terminal escaped."""
    carry_any_text()
    words = sys.argv[1:] if arguments is None else arguments
    Parser.wants_json = "--json" in words
    options = parser().parse_args(words)
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
    if options.show_help is not None:
        options.show_help()
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
    if Parser.wants_json:
        more = {"path": error.path, "exit": code, "others": [list(one) for one in error.others]}
        print(error_json(error.code, error.detail or error.title, **more), file=sys.stderr)
    else:
        others = "".join(f"\n  {path}: {detail}" for path, detail in error.others)
        complain("muster", f"{error}{others}")
    return code


def parser() -> argparse.ArgumentParser:
    """Build the command line; shell completion reads it too."""
    parser: argparse.ArgumentParser = Parser(
        prog="muster",
        description="Takes a MicroPython board from its box to a registered device.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"muster {_version()}")
    parser.set_defaults(show_help=helped(parser), parser=parser)
    groups = parser.add_subparsers(metavar="command")
    nested: dict[str, argparse._SubParsersAction[argparse.ArgumentParser]] = {}
    for command in COMMANDS:
        *group, word = command.words
        place = groups
        if group:
            if group[0] not in nested:
                about = GROUPS[group[0]]
                outer = groups.add_parser(group[0], help=about, description=about)
                outer.set_defaults(show_help=helped(outer))
                nested[group[0]] = outer.add_subparsers(metavar="what")
            place = nested[group[0]]
        made = place.add_parser(
            word,
            help=command.summary,
            description=command.summary,
            epilog="examples:\n" + "\n".join(f"  {line}" for line in command.examples),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.prepare(made)
        made.set_defaults(function=command.function, module=command.module, show_help=None)
    return parser


def _version() -> str:
    try:
        return version("muster-server")
    except PackageNotFoundError:  # run from its folder
        return "of this folder, not installed"
