# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The command `muster-fleet`: many devices without boards, to size a server and to judge it."""

import argparse
import json
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from muster_harness.deploy.labels import new_label
from muster_harness.errors import HarnessError
from muster_harness.fleet import ledger as book
from muster_harness.fleet.check import Check
from muster_harness.fleet.device import FleetDevice
from muster_harness.fleet.figures import Figures, cpu_seconds, table
from muster_harness.fleet.ledger import Ledger, read_ledger
from muster_harness.fleet.link import Link, loopback_address
from muster_harness.fleet.run import Fleet, Step
from muster_harness.terminal import Parser, carry_any_text, complain

_EPILOG = """examples:
  muster-fleet onboard --token-file token.txt --profile press --devices 1000 --ledger fleet.ledger
  muster-fleet sync --ledger fleet.ledger --clients 200
  muster-fleet sync --ledger fleet.ledger --clients 200 --spread 360 --deadline 3600
  muster-fleet check --token-file token.txt --ledger fleet.ledger

A server on 127.0.0.1 sees each device at a loopback address of its own.
exit codes: 0 all done, 1 a device gave up or something acknowledged is lost, 2 not understood
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    carry_any_text()
    options = parser().parse_args(sys.argv[1:] if arguments is None else arguments)
    try:
        command: Callable[[argparse.Namespace], int] = options.function
        return command(options)
    except HarnessError as error:
        complain("muster-fleet", str(error))
        return 1


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = Parser(
        prog="muster-fleet",
        description="Devices without boards that do the real exchange, to size a server.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = made.add_subparsers(dest="command", required=True)
    onboard_ = commands.add_parser("onboard", help="claim, configure and register new devices")
    onboard_.add_argument("--devices", type=_positive, default=100, help="how many (100)")
    onboard_.add_argument("--first", type=int, default=0, help="the number of the first (0)")
    onboard_.add_argument("--profile", required=True, help="the profile to claim them with")
    onboard_.add_argument("--ledger", type=Path, help="write each acknowledgement there")
    onboard_.add_argument("--readings", type=int, default=0, help="published by each (0)")
    sync_ = commands.add_parser("sync", help="let the devices of a ledger check in")
    sync_.add_argument("--ledger", type=Path, required=True)
    spread = "they come at any moment within so many seconds, as after an outage (0: all at once)"
    sync_.add_argument("--spread", type=float, default=0.0, metavar="S", help=spread)
    check_ = commands.add_parser("check", help="ask for all that a ledger says was acknowledged")
    check_.add_argument("--ledger", type=Path, required=True)
    for each, function in ((onboard_, onboard), (sync_, sync), (check_, check)):
        each.set_defaults(function=function)
        _add_places(each, has_portal=each is not sync_)
    return made


def _add_places(each: argparse.ArgumentParser, *, has_portal: bool) -> None:
    if has_portal:
        each.add_argument("--portal", default="http://127.0.0.1:8420", help="its URL")
        each.add_argument("--token-file", type=Path, required=True, help="the administrator's")
        each.add_argument("--ca-file", help="trust the portal's certificate by this one")
    each.add_argument("--server", default="http://127.0.0.1:8421", help="configuration server")
    each.add_argument("--clients", type=_positive, default=16, help="at once (16)")
    each.add_argument("--deadline", type=float, default=600.0, metavar="S", help="seconds (600)")
    each.add_argument("--pid", type=int, action="append", default=[], help="count its CPU time")
    each.add_argument("--json", action="store_true", help="figures as JSON")


def onboard(options: argparse.Namespace) -> int:
    """Take new devices through steps 1 to 9. HarnessError if a file cannot be used."""
    token, links = _token(options.token_file), threading.local()
    numbers = range(options.first, options.first + options.devices)
    devices = [_at_own_address(FleetDevice(new_label(), n), options.server) for n in numbers]

    with Ledger(options.ledger) as ledger:

        def noted(do: Callable[[FleetDevice], None], what: str) -> Callable[[FleetDevice], None]:
            def both(device: FleetDevice) -> None:
                do(device)
                ledger.note(device, what)

            return both

        def claim(device: FleetDevice) -> None:
            device.claim(_portal(links, options), token, options.profile)

        def publish(device: FleetDevice) -> None:
            for n in range(options.readings):
                device.publish(n)

        steps = [
            Step("claim", noted(claim, book.CLAIMED)),
            Step("fetch", noted(lambda d: d.fetch(options.server), book.FETCHED)),
            Step("register", noted(FleetDevice.register, book.REGISTERED)),
            Step("confirm", noted(lambda d: d.confirm(options.server), book.CONFIRMED)),
        ]
        if options.readings:
            steps.append(Step("readings", publish))
        return _run(steps, devices, options, "onboarding")


def sync(options: argparse.Namespace) -> int:
    """Let all committed devices of the ledger check in once, as after a power cut."""
    entries = [entry for entry in read_ledger(options.ledger) if entry.device.committed]
    devices = [_at_own_address(entry.device, options.server) for entry in entries]

    def check_in(device: FleetDevice) -> None:
        device.check_in(options.server)

    return _run([Step("sync", check_in)], devices, options, "check-in", options.spread)


def check(options: argparse.Namespace) -> int:
    """Compare the ledger with what the servers say. HarnessError if a file cannot be used."""
    entries, links = read_ledger(options.ledger), threading.local()
    token = _token(options.token_file)
    look = Check(entries, lambda: _portal(links, options), token, options.server)
    devices = [_at_own_address(entry.device, options.server) for entry in entries]
    code = _run([Step("look", look.look)], devices, options, "check")
    lost = look.losses + look.doubled_accounts()
    for line in lost:
        print(f"LOST: {line}")
    print(f"{len(devices)} devices, {len(lost)} acknowledgements lost or doubled", flush=True)
    return 1 if lost else code


def _run(
    steps: list[Step],
    devices: list[FleetDevice],
    options: argparse.Namespace,
    whole: str,
    spread_s: float = 0.0,
) -> int:
    figures = Figures()
    fleet = Fleet(steps, figures, whole)
    before = cpu_seconds(options.pid)
    took_s = fleet.run(devices, options.clients, options.deadline, spread_s)
    done = figures.count(whole)
    found: dict[str, Any] = {
        "devices": len(devices),
        "done": done,
        "given_up": len(fleet.given_up),
        "seconds": round(took_s, 2),
        "per_s": round(done / took_s, 2),
        "times": figures.summary(),
        "refusals": dict(figures.refusals.most_common(20)),
    }
    if options.pid:
        found["server_cpu_ms_each"] = round(
            (cpu_seconds(options.pid) - before) * 1000 / max(1, done), 2
        )
    print(json.dumps(found) if options.json else _told(found, whole), flush=True)
    return 1 if fleet.given_up else 0


def _told(found: dict[str, Any], whole: str) -> str:
    lines = [
        table(found["times"]),
        f"{found['done']} of {found['devices']} in {found['seconds']} s: "
        f"{found['per_s']} a second ({whole})",
    ]
    if "server_cpu_ms_each" in found:
        lines.append(f"{found['server_cpu_ms_each']} ms of the servers' CPU time each")
    lines += [f"{count:>8} x {what}" for what, count in found["refusals"].items()]
    if found["given_up"]:
        lines.append(f"{found['given_up']} gave up")
    return "\n".join(lines)


def _portal(links: threading.local, options: argparse.Namespace) -> Link:
    """Return this thread's own link to the portal."""
    link: Link | None = getattr(links, "link", None)
    if link is None:
        link = links.link = Link(options.portal, ca_file=options.ca_file)
    return link


def _at_own_address(device: FleetDevice, server_url: str) -> FleetDevice:
    device.source = loopback_address(server_url, device.number)
    return device


def _token(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise HarnessError(f"{path}: {error.strerror}; name the administrator's token") from None


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("wanted 1 or more")
    return number
