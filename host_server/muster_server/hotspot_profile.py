# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A hotspot as NetworkManager is told of it: the arguments of `nmcli`, and the network's key."""

import contextlib
import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from muster_server.errors import SettingsError

UP_S = 45
DELETE_S = 20


@dataclass(frozen=True)
class Hotspot:
    """The hotspot that is wanted. `key` has 64 hexadecimal digits; None means an open network."""

    ssid: str
    channel: int
    key: str | None = field(repr=False)

    def add(self, device: str) -> list[str]:
        """A profile that no disk keeps and that nothing starts by itself."""
        security = "802-11-wireless-security"
        protected = [
            *(f"{security}.key-mgmt", "wpa-psk", f"{security}.proto", "rsn"),
            *(f"{security}.pairwise", "ccmp", f"{security}.group", "ccmp"),
            *(f"{security}.psk-flags", "2"),  # 2: not saved, asked for at activation
        ]
        return [
            *("connection", "add", "save", "no", "type", "wifi", "con-name", self.ssid),
            *("ifname", device, "autoconnect", "no", "ssid", self.ssid),
            *("802-11-wireless.mode", "ap", "802-11-wireless.band", "bg"),
            *("802-11-wireless.channel", str(self.channel)),
            *("ipv4.method", "shared", "ipv6.method", "ignore"),
            *(protected if self.key else []),
        ]

    def up(self, device: str, descriptor: int | str) -> list[str]:
        """`descriptor` is that of the file with the key, which nmcli inherits."""
        command = ["--wait", str(UP_S), "connection", "up", "id", self.ssid, "ifname", device]
        return command + (["passwd-file", f"/proc/self/fd/{descriptor}"] if self.key else [])

    def delete(self) -> list[str]:
        return ["--wait", str(DELETE_S), "connection", "delete", "id", self.ssid]


def restore(device: str, uuid: str) -> list[str]:
    """Return the arguments of nmcli that bring back what was there before."""
    return ["--wait", str(UP_S), "connection", "up", "uuid", uuid, "ifname", device]


def key_of(passphrase: str | None, ssid: str) -> str | None:
    """Derive the network's key from its passphrase (IEEE 802.11i, H.4); None for an open network.

    So nmcli never sees the passphrase, and has nothing to unescape. Raises SettingsError if the
    passphrase is not 8 to 63 printable ASCII characters.
    """
    if passphrase is None:
        return None
    if not re.fullmatch(r"[ -~]{8,63}", passphrase):
        raise SettingsError("the passphrase: wanted 8 to 63 printable ASCII characters")
    return hashlib.pbkdf2_hmac("sha1", passphrase.encode(), ssid.encode(), 4096, 32).hex()


@contextlib.contextmanager
def key_file(key: str | None) -> Iterator[int]:
    """The descriptor of a file in memory, as `nmcli … passwd-file` wants it; -1 without a key."""
    if key is None:
        yield -1
        return
    descriptor = os.memfd_create("hotspot")
    try:
        os.write(descriptor, f"802-11-wireless-security.psk:{key}\n".encode())
        yield descriptor
    finally:
        os.close(descriptor)
