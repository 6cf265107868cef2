# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The options of `muster-unit`: a function for each command, or for what several share."""

import argparse


def json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="for scripts")


def port(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", metavar="PORT", help="the board's port [MUSTER_PORT]")


def info(parser: argparse.ArgumentParser) -> None:
    port(parser)
    json(parser)


def deploy(parser: argparse.ArgumentParser) -> None:
    option = parser.add_argument
    port(parser)
    option("--board", metavar="NAME", help="a file of boards/; else the board is recognised")
    option("--form", choices=("mpy", "py"), default="mpy", help="compiled (mpy) or as source (py)")
    firmware(parser)
    option("--force", action="store_true", help="replace files that others put there, unasked")
    option("--bundle", metavar="FILE", help="a configuration to be applied at the first start")
    json(parser)


def firmware(parser: argparse.ArgumentParser) -> None:
    option = parser.add_argument
    option("--source", metavar="DIR", help="the firmware's folder (this project's own)")
    option("--model", metavar="TEXT", help="what the product is called; else the board's name")
    option("--onboarding-ssid", metavar="SSID", help="also try this network for onboarding")
    option(
        "--onboarding-password-file", metavar="FILE", help="holds the passphrase of such networks"
    )


def pack(parser: argparse.ArgumentParser) -> None:
    option = parser.add_argument
    option("folder", metavar="DIR", help="gets firmware.json and the images")
    option(
        "--board", metavar="NAME", action="append", help="a file of boards/ (all); again for more"
    )
    option(
        "--image",
        metavar="BOARD=FILE",
        action="append",
        default=[],
        help="MicroPython's .bin for that board; again for more",
    )
    firmware(parser)


def flash(parser: argparse.ArgumentParser) -> None:
    option = parser.add_argument
    option("--port", metavar="PORT", action="append", required=True, help="again for each board")
    option("--board", metavar="NAME", required=True, help="a file of boards/: chip, offset, pins")
    option("--image", metavar="FILE", required=True, help="MicroPython's .bin for that board")
    option("--erase", action="store_true", help="empty the flash first: files, settings, identity")
    option("--force", action="store_true", help="replace an identity and files that are there")
    option("--baud", type=int, metavar="N", default=460800, help="speed of writing (460800)")
    option("--bundle", metavar="FILE", help="of the label given: applied at the first start")
    which_label(parser)
    firmware(parser)
    label_book(parser)
    json(parser)


def label(parser: argparse.ArgumentParser) -> None:
    port(parser)
    label_book(parser)
    parser.add_argument("--force", action="store_true", help="do not ask whether it may replace")
    json(parser)


def label_book(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--csv", metavar="FILE", default="labels.csv", help="a line is added (labels.csv)"
    )


def label_write(parser: argparse.ArgumentParser) -> None:
    which_label(parser)
    label(parser)


def which_label(parser: argparse.ArgumentParser) -> None:
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument("--id", metavar="ID", help="of the new label; else a random one")
    chosen.add_argument(
        "--label-file", metavar="FILE", help="holds the label to be written; - for standard input"
    )


def log(parser: argparse.ArgumentParser) -> None:
    port(parser)
    parser.add_argument("--restart", action="store_true", help="let the program begin anew first")
    parser.add_argument("--seconds", type=float, metavar="N", help="stop then; else at Ctrl-C")


def emulate(parser: argparse.ArgumentParser) -> None:
    option = parser.add_argument
    option("--directory", metavar="DIR", help="keeps flash and log; else they go at the end")
    option("--tcp", type=int, metavar="N", default=0, help="TCP port for socket:// (any)")
    option("--air", metavar="FILE", help="TOML with [[access_point]]: ssid, password, channel, …")
    option("--address", metavar="A", help="where servers reach its networks (127.77.1.1)")
    option("--servers", action="store_true", help="run the servers, too, and prepare a device")
    option("--board", metavar="NAME", default="EMULATED", help="a file of boards/ (EMULATED)")
    option("--heap", metavar="SIZE", default="512K", help="MicroPython's heap (512K)")


def board_check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="+", help="a board file")


def completion(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=("bash", "zsh", "tcsh"), help="which shell")


def bundle(parser: argparse.ArgumentParser) -> None:
    port(parser)
    json(parser)


def bundle_send(parser: argparse.ArgumentParser) -> None:
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
    bundle(parser)


def record(parser: argparse.ArgumentParser) -> None:
    port(parser)
    option = parser.add_argument
    option("file", metavar="FILE", help="gets the session; there is none of that name yet")
    option("--reset", action="store_true", help="reset the board first, by the port's lines")
    option("--seconds", type=float, metavar="N", help="stop then; else at Ctrl-] or Ctrl-C")


def replay(parser: argparse.ArgumentParser) -> None:
    option = parser.add_argument
    option("file", metavar="FILE", help="a session of `muster-unit record`")
    option("--port", metavar="PORT", help="a board that is there; else a new emulated one")
    option("--directory", metavar="DIR", help="flash of the emulated one, as of `emulate`")
    option("--board", metavar="NAME", default="EMULATED", help="a file of boards/ (EMULATED)")
    option("--heap", metavar="SIZE", default="512K", help="MicroPython's heap (512K)")
    option(
        "--ignore",
        metavar="REGEX",
        action="append",
        default=[],
        help="what matches is not compared; again for more",
    )
    option(
        "--patience",
        metavar="SECONDS",
        type=float,
        default=2.0,
        help="so long may a step take, beyond twice its recorded time (2)",
    )
