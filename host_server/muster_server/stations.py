# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The stations on a hotspot: the kernel's neighbours, with the names that dnsmasq knows.

The leases alone would not do: they outlive a stay, and on most systems only root can read them.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path

_LOOK_S = 5.0
_LEASES = "/var/lib/NetworkManager/dnsmasq-{}.leases"
_ABSENT = {"FAILED", "INCOMPLETE"}  # ip-neighbour(8)
_MOST = 256  # a hotspot's range; whoever invents addresses fills no memory


class Stations:
    """The stations on one interface, each told once."""

    def __init__(self, device: str, leases: str = _LEASES) -> None:
        self._device = device
        self._leases = Path(leases.format(device))
        self._told: set[tuple[str, str]] = set()

    def news(self) -> Iterator[str]:
        """A line for each who has joined since the last time."""
        found = self._neighbours() - self._told
        if not found:
            return
        names = self._names()
        for mac, address in sorted(found):
            if len(self._told) < _MOST:
                self._told.add((mac, address))
                name = names.get(mac)
                yield f"joined {address} {mac}" + (f" ({name})" if name else "")

    @property
    def macs(self) -> set[str]:
        """The hardware addresses of those who have been told."""
        return {mac for mac, _ in self._told}

    def _neighbours(self) -> set[tuple[str, str]]:
        command = ["ip", "-4", "neigh", "show", "dev", self._device]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=_LOOK_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            return set()  # without iproute2 nobody is shown; the servers' own work goes on
        found = set()
        for line in done.stdout.splitlines():
            words = line.split()  # e.g. "10.42.0.23 lladdr 24:6f:28:00:11:22 REACHABLE"
            if "lladdr" in words[1:-1] and words[-1] not in _ABSENT:
                found.add((words[words.index("lladdr") + 1], words[0]))
        return found

    def _names(self) -> dict[str, str]:
        """By hardware address; dnsmasq writes "<expiry> <mac> <address> <name or *> <client>"."""
        try:
            lines = self._leases.read_text(errors="replace").splitlines()
        except OSError:
            return {}
        rows = [line.split() for line in lines]
        return {row[1]: _plain(row[3]) for row in rows if len(row) > 3 and row[3] != "*"}


def _plain(name: str) -> str:
    """A stranger chose it and it goes to a terminal."""
    return "".join(c if c.isascii() and c.isprintable() else "?" for c in name[:64])
