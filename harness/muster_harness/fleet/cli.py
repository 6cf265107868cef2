# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The command `muster-fleet`: many devices without boards, to size a server and to judge it."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from muster_harness.errors import HarnessError
from muster_harness.terminal import Parser, carry_any_text, complain

_CLIENTS, _SPREAD_CLIENTS = 16, 4000
_LONGEST_S = 1e6

_EPILOG = """examples:
  muster-fleet onboard --token-file token.txt --profile press --devices 1000 --ledger fleet.ledger
  muster-fleet sync --ledger fleet.ledger --clients 200
  muster-fleet sync --ledger fleet.ledger --spread 300 --deadline 3600
  muster-fleet check --token-file token.txt --ledger fleet.ledger

A server on 127.0.0.1 sees each device at a loopback address of its own.
exit codes: 0 all done, 1 a device gave up or something acknowledged is lost, 2 not understood,
130 ended by Ctrl-C
`muster-fleet onboard --help` and the like say more.
"""
_ONBOARD = """Make new devices and take each through claim, fetch, register and confirm.

So many --clients are at work at once, each with one device after another (a closed loop): a
device's time begins when its client takes it. What a server has acknowledged is in the ledger
before the device goes on. The ledger holds labels and configurations, which are secrets.
"""
_SYNC = """Let all devices of a ledger that have onboarded check in once.

Without --spread so many --clients are at work at once, each with one device after another (a
closed loop): a device's time begins when its client takes it. With --spread devices come as
firmware does after an outage, each at a moment of its own, whether or not others are done (an
open loop): its time begins at that moment. What it waits because this program is slow counts,
too, and is told as "came late"; "beyond its back-off" is its time without what it was told to
wait.

Whoever is refused comes again after firmware's back-off (1 s, doubling to 300 s, give or take a
quarter), and no sooner than Retry-After says; 12 times, or with --spread until the deadline.
"""
_CHECK = """Ask the servers for all that a ledger says they have acknowledged.

Each thing that is lost or doubled is a line: "LOST: ...".
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    carry_any_text()
    options = parser().parse_args(sys.argv[1:] if arguments is None else arguments)
    try:
        return _run(options)
    except HarnessError as error:
        complain("muster-fleet", str(error))
        return 1
    except KeyboardInterrupt:
        complain("muster-fleet", "ended; what was acknowledged is in the ledger, if there is one")
        return 130


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = Parser(
        prog="muster-fleet",
        description="Devices without boards that do the real exchange, to size a server.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = made.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, short: str, text: str) -> argparse.ArgumentParser:
        kind = argparse.RawDescriptionHelpFormatter
        return commands.add_parser(name, help=short, description=text, formatter_class=kind)

    onboard = command("onboard", "claim, configure and register new devices", _ONBOARD)
    onboard.add_argument("--devices", type=_positive, default=100, help="how many (100)")
    onboard.add_argument("--first", type=_number, default=0, help="the number of the first (0)")
    onboard.add_argument("--profile", required=True, help="the profile to claim them with")
    onboard.add_argument("--ledger", type=Path, help="write each acknowledgement there")
    onboard.add_argument("--readings", type=_number, default=0, help="published by each (0)")
    sync = command("sync", "let the devices of a ledger check in", _SYNC)
    sync.add_argument("--ledger", type=Path, required=True, help="of the run that made them")
    spread = "each comes within S seconds, give or take a quarter (300: firmware's longest wait)"
    sync.add_argument("--spread", type=_seconds, default=0.0, metavar="S", help=spread)
    check = command("check", "ask for all that a ledger says was acknowledged", _CHECK)
    check.add_argument("--ledger", type=Path, required=True, help="of the run that made them")
    for each in (onboard, sync, check):
        _add_places(each, has_portal=each is not sync)
    return made


def _add_places(each: argparse.ArgumentParser, *, has_portal: bool) -> None:
    if has_portal:
        each.add_argument("--portal", default="http://127.0.0.1:8420", help="its URL")
        each.add_argument("--token-file", type=Path, required=True, help="the administrator's")
        each.add_argument("--ca-file", help="trust the portal's certificate by this one")
    each.add_argument("--server", default="http://127.0.0.1:8421", help="configuration server")
    clients = f"at once, in all processes ({_CLIENTS}; {_SPREAD_CLIENTS} with --spread)"
    each.add_argument("--clients", type=_positive, help=clients)
    each.add_argument("--processes", type=_positive, default=1, help="that share the devices (1)")
    each.add_argument(
        "--deadline", type=_seconds, default=600.0, metavar="S", help="seconds (600)"
    )
    pid = "count the CPU time of this process, a server's; may be given again"
    each.add_argument("--pid", type=_positive, action="append", default=[], help=pid)
    each.add_argument("--json", action="store_true", help="figures as JSON")


def _run(options: argparse.Namespace) -> int:
    try:
        from muster_harness.fleet import shares, telling, work
    except ImportError as error:
        raise HarnessError(
            f"muster-fleet needs {error.name}; try: pip install 'muster-harness[fleet]'"
        ) from None
    if options.clients is None:
        options.clients = _SPREAD_CLIENTS if getattr(options, "spread", 0) else _CLIENTS
    makes = {"onboard": work.onboard, "sync": work.sync, "check": work.check}
    outcome = shares.run(makes[options.command], options)
    found = telling.figures(outcome, has_server=bool(options.pid))
    print(json.dumps(found) if options.json else telling.told(found, outcome.whole), flush=True)
    for line in outcome.findings:
        print(f"LOST: {line}")
    if options.command == "check":
        count = len(outcome.findings)
        print(f"{outcome.devices} devices, {count} acknowledgements lost or doubled", flush=True)
    return 1 if outcome.given_up or outcome.findings else 0


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f'wanted a number, 1 or more, got "{text}"')
    return int(text)


def _number(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f'wanted a number, 0 or more, got "{text}"')
    return int(text)


def _seconds(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= _LONGEST_S:
        raise argparse.ArgumentTypeError(f'wanted seconds, 0 to {_LONGEST_S:.0f}, got "{text}"')
    return number
