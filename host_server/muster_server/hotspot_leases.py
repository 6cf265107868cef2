# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Sees whether stations of a hotspot get addresses: NetworkManager calls it up without that.

Looked at from outside, with `ss` (iproute2) and `iw` where they are; NetworkManager has no word
for it.
"""

import re
import subprocess
import time
from collections.abc import Callable, Iterator

from muster_server.network_manager import HotspotError, is_there

_LOOK_S = 5.0
_BEGIN_S = 5.0
_POLL_S = 0.25
_PATIENCE_S = 15.0  # from a station's association to its address, which takes a second or two
_MOST = 256
_STATION = re.compile(r"^Station ((?:[0-9a-f]{2}:){5}[0-9a-f]{2}) ", re.MULTILINE)


def check_dnsmasq() -> None:
    """Raise HotspotError if NetworkManager will find no dnsmasq to give addresses with."""
    if not is_there("dnsmasq"):
        raise HotspotError(
            "no dnsmasq on this machine: NetworkManager would bring the hotspot up, and nobody "
            "would get an address; try: apt install dnsmasq-base"
        )


def wait_for_dhcp(device: str) -> None:
    """Wait until somebody listens for stations that want an address.

    Raises HotspotError if nobody does after a few seconds. Without `ss` it cannot be seen, and
    nothing is said.
    """
    deadline = time.monotonic() + _BEGIN_S
    while True:
        sockets = _said("ss", "-H", "-l", "-u", "-n")
        if sockets is None or any(_is_dhcp(line, device) for line in sockets.splitlines()):
            return
        if time.monotonic() > deadline:
            raise HotspotError(
                f"{device} is up and nobody gives addresses on it: NetworkManager's dnsmasq has "
                "not started; try: journalctl -u NetworkManager -e, and ss -lunp 'sport = :67' "
                "for another DHCP server in its place"
            )
        time.sleep(_POLL_S)


class Unserved:
    """The stations that have joined and got no address, each told once."""

    def __init__(self, device: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._device = device
        self._clock = clock
        self._since: dict[str, float] = {}
        self._told: set[str] = set()

    def news(self, served: set[str]) -> Iterator[str]:
        """A line for each who waits too long. `served` are hardware addresses that have one."""
        now = self._clock()
        there = set(_STATION.findall(_said("iw", "dev", self._device, "station", "dump") or ""))
        waiting = sorted(there - served)[:_MOST]
        self._since = {mac: self._since.get(mac, now) for mac in waiting}
        overdue = [mac for mac in waiting if now - self._since[mac] >= _PATIENCE_S]
        for mac in [mac for mac in overdue if mac not in self._told]:
            if len(self._told) < _MOST:
                self._told.add(mac)
                yield (
                    f"note: {mac} has joined and got no address in {_PATIENCE_S:.0f} s; does a "
                    "firewall drop UDP port 67? see docs/onboarding-network.md"
                )


def _is_dhcp(line: str, device: str) -> bool:
    """Tell whether a line like "UNCONN 0 0 0.0.0.0%wlan0:67 0.0.0.0:*" is of that device."""
    words = line.split()
    if len(words) < 4 or not words[3].endswith(":67"):
        return False
    bound = words[3].removesuffix(":67").partition("%")[2]
    return bound in ("", device)


def _said(*command: str) -> str | None:
    """Return what a program prints; None if it is not there, or fails."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_LOOK_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
