# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The work of each command: which devices, which steps, and what is to be told after them."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from muster_harness.deploy.labels import new_label
from muster_harness.errors import HarnessError
from muster_harness.fleet import ledger as book
from muster_harness.fleet.check import Check
from muster_harness.fleet.device import FleetDevice
from muster_harness.fleet.ledger import Ledger, read_ledger
from muster_harness.fleet.link import Links, loopback_address
from muster_harness.fleet.run import Step


@dataclass(frozen=True)
class Share:
    """One process's part of the devices: every `of`-th, from number `which` on."""

    which: int = 0
    of: int = 1

    def part(self, all_of_them: list[FleetDevice]) -> list[FleetDevice]:
        """Return the part."""
        return all_of_them[self.which :: self.of]


@dataclass
class Work:
    """Devices, and what they do. `end` closes what is open and returns what has been found."""

    whole: str
    devices: list[FleetDevice] = field(repr=False)
    steps: list[Step]
    end: Callable[[], list[str]]


Make = Callable[[argparse.Namespace, Share], Work]


def onboard(options: argparse.Namespace, share: Share) -> Work:
    """Take new devices through steps 1 to 9. HarnessError if a file cannot be used."""
    token, portal = _token(options.token_file), Links(options.portal, options.ca_file)
    numbers = range(options.first, options.first + options.devices)[share.which :: share.of]
    devices = [_at_own_address(FleetDevice(new_label(), n), options.server) for n in numbers]
    ledger = Ledger(options.ledger, lambda write: asyncio.get_running_loop().call_soon(write))

    def noted(
        do: Callable[[FleetDevice], Awaitable[None]], what: str
    ) -> Callable[[FleetDevice], Awaitable[None]]:
        async def both(device: FleetDevice) -> None:
            await do(device)
            ledger.note(device, what)

        return both

    async def publish(device: FleetDevice) -> None:
        for n in range(options.readings):
            await device.publish(n)

    def end() -> list[str]:
        portal.close()
        ledger.close()
        return []

    steps = [
        Step("claim", noted(lambda d: d.claim(portal, token, options.profile), book.CLAIMED)),
        Step("fetch", noted(lambda d: d.fetch(options.server), book.FETCHED)),
        Step("register", noted(FleetDevice.register, book.REGISTERED)),
        Step("confirm", noted(lambda d: d.confirm(options.server), book.CONFIRMED)),
    ]
    if options.readings:
        steps.append(Step("readings", publish))
    return Work("onboarding", devices, steps, end)


def sync(options: argparse.Namespace, share: Share) -> Work:
    """Let all committed devices of the ledger check in once. HarnessError if it cannot be read."""
    entries = [entry for entry in read_ledger(options.ledger) if entry.device.committed]
    devices = share.part([_at_own_address(entry.device, options.server) for entry in entries])
    steps = [Step("sync", lambda device: device.check_in(options.server))]
    return Work("check-in", devices, steps, list)


def check(options: argparse.Namespace, share: Share) -> Work:
    """Compare the ledger with what the servers say. HarnessError if a file cannot be used."""
    entries, portal = read_ledger(options.ledger), Links(options.portal, options.ca_file)
    look = Check(entries, portal, _token(options.token_file), options.server)
    devices = share.part([_at_own_address(entry.device, options.server) for entry in entries])

    def end() -> list[str]:
        portal.close()
        return look.losses + (look.doubled_accounts() if share.which == 0 else [])

    return Work("check", devices, [Step("look", look.look)], end)


def _at_own_address(device: FleetDevice, server_url: str) -> FleetDevice:
    device.source = loopback_address(server_url, device.number)
    return device


def _token(path: Path) -> str:
    try:
        token = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise HarnessError(f"{path}: {error.strerror}; name the administrator's token") from None
    except ValueError:
        token = ""
    if not token or not token.isascii() or not token.isprintable():
        raise HarnessError(f"{path} holds no token: wanted one line of ASCII")
    return token
