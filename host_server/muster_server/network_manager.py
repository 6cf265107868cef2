# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Asks NetworkManager through `nmcli` (its manual: nmcli(1)): argument lists, never a shell."""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from muster_server.errors import HostError

_ASK_S = 10.0
_MARGIN_S = 5.0  # nmcli itself ends first, with a reason
_NOT_RUNNING = 8  # nmcli(1), "EXIT STATUS"
_UNMANAGED, _UNAVAILABLE = 10, 20  # NMDeviceState
# Those who may not do all of these cannot share; "auth" is asked for by NetworkManager itself.
_PERMISSIONS = ("network-control", "settings.modify.system")


class HotspotError(HostError):
    """The hotspot did not come up, or what was there before is not back."""

    code = "hotspot_failed"
    title = "The hotspot failed"


@dataclass(frozen=True)
class WiFiDevice:
    """One radio of this machine and what it does at present."""

    name: str  # e.g. "wlan0"
    state: int  # NMDeviceState, e.g. 100 for connected
    connection: str  # e.g. "Home", "" if none
    connection_uuid: str
    has_access_point_mode: bool
    addresses: tuple[str, ...]  # e.g. ("10.42.0.1",)

    @property
    def is_connected(self) -> bool:
        return bool(self.connection_uuid)


class NetworkManager:
    """The questions and deeds that a hotspot needs. Each is bounded in time."""

    def run(
        self, arguments: Sequence[str], wait_s: float = _ASK_S, descriptor: int | None = None
    ) -> str:
        """Run nmcli and return what it prints. Raises HotspotError with what it complains about.

        `descriptor` is inherited by nmcli. It runs in a session of its own, so that Ctrl-C in a
        terminal does not end it in the middle of a restoration.
        """
        try:
            done = subprocess.run(
                ["nmcli", *arguments],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=wait_s + _MARGIN_S,
                env=os.environ | {"LC_ALL": "C"},
                pass_fds=() if descriptor is None else (descriptor,),
                start_new_session=True,
                check=False,
            )
        except FileNotFoundError:
            raise HotspotError(
                "no nmcli on PATH; `muster hotspot` needs Linux with NetworkManager (try: "
                "apt install network-manager), see docs/onboarding-network.md for other ways"
            ) from None
        except subprocess.TimeoutExpired:
            raise HotspotError(
                f"nmcli {_verb(arguments)} did not end within {wait_s + _MARGIN_S:.0f} s; try: "
                "journalctl -u NetworkManager"
            ) from None
        if done.returncode == _NOT_RUNNING:
            raise HotspotError(
                "NetworkManager is not running; try: sudo systemctl start NetworkManager"
            )
        if done.returncode:
            said = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
            raise HotspotError(f"nmcli {_verb(arguments)}: {said[0].removeprefix('Error: ')}")
        return done.stdout

    def check_permissions(self, is_open: bool) -> None:
        """HotspotError if this user may not bring up a hotspot."""
        answer = self.run(["-t", "-f", "PERMISSION,VALUE", "general", "permissions"])
        values = dict(fields[:2] for line in answer.splitlines() if len(fields := split(line)) > 1)
        wanted = (*_PERMISSIONS, "wifi.share.open" if is_open else "wifi.share.protected")
        for permission in wanted:
            if values.get(f"org.freedesktop.NetworkManager.{permission}") == "no":
                raise HotspotError(
                    f"NetworkManager does not let you do {permission}; try it with sudo"
                )

    def check_name(self, name: str) -> None:
        """HotspotError if there is a connection of this name already."""
        for line in self.run(["-t", "-f", "NAME", "connection", "show"]).splitlines():
            if split(line)[0] == name:
                raise HotspotError(
                    f"a connection named {name} is there already, perhaps from a run that was "
                    f"killed; try: nmcli connection delete id {name}, or another --name"
                )

    def device(self, wanted: str | None) -> WiFiDevice:
        """Return the named radio, or one that can be an access point, best one that is not in use.

        Raises HotspotError if there is no such radio.
        """
        answer = self.run(["-t", "-f", "DEVICE,TYPE", "device", "status"])
        rows = [split(line) for line in answer.splitlines()]
        names = [row[0] for row in rows if len(row) > 1 and row[1] == "wifi"]
        if wanted is not None and wanted not in names:
            raise HotspotError(f"no Wi-Fi device {wanted}; there is {', '.join(names) or 'none'}")
        if not names:
            raise HotspotError(
                "no Wi-Fi device; try a USB Wi-Fi adapter, or a router's guest network or a phone "
                "(docs/onboarding-network.md)"
            )
        devices = [self.show(name) for name in ([wanted] if wanted else names)]
        problems = [problem for device in devices if (problem := _problem(device))]
        usable = [device for device in devices if not _problem(device)]
        if not usable:
            raise HotspotError("; ".join(problems))
        return min(usable, key=lambda device: device.is_connected)

    def show(self, name: str) -> WiFiDevice:
        """Return what a Wi-Fi device can and does. Raises HotspotError."""
        answer = self.run(["-t", "-f", "GENERAL,WIFI-PROPERTIES,IP4", "device", "show", name])
        values: dict[str, str] = {}
        for line in answer.splitlines():
            key, _, value = line.partition(":")
            values[key] = "" if value == "--" else value
        state = re.match(r"\d+", values.get("GENERAL.STATE", ""))
        return WiFiDevice(
            name,
            int(state[0]) if state else 0,
            values.get("GENERAL.CONNECTION", ""),
            values.get("GENERAL.CON-UUID", ""),
            values.get("WIFI-PROPERTIES.AP") == "yes",
            tuple(
                value.partition("/")[0]
                for key, value in values.items()
                if key.startswith("IP4.ADDRESS[")
            ),
        )


def _problem(device: WiFiDevice) -> str | None:
    if device.state == _UNMANAGED:
        return (
            f"{device.name} is not managed by NetworkManager; try: "
            f"nmcli device set {device.name} managed yes"
        )
    if device.state == _UNAVAILABLE:
        return f"{device.name} is switched off; try: nmcli radio wifi on, and rfkill list"
    if not device.has_access_point_mode:
        return f"{device.name} cannot be an access point; try another Wi-Fi adapter"
    return None


def _verb(arguments: Sequence[str]) -> str:
    """Return the command without its arguments, e.g. "connection up"."""
    for group in ("connection", "device", "general"):
        if group in arguments:
            at = list(arguments).index(group)
            return " ".join(arguments[at : at + 2])
    return ""


def split(line: str) -> list[str]:
    """The fields of a line of `nmcli --terse`, in which \\ protects : and itself."""
    fields = re.split(r"(?<!\\)((?:\\\\)*):", line)
    # The pattern keeps the pairs of backslashes that stand before a separator.
    joined = [text + kept for text, kept in zip(fields[::2], [*fields[1::2], ""], strict=True)]
    return [re.sub(r"\\(.)", r"\1", field) for field in joined]


def is_there(program: str) -> bool:
    """Tell whether a program is installed, also where only the superuser's PATH looks."""
    path = os.environ.get("PATH", "")
    return shutil.which(program, path=f"{path}:/usr/local/sbin:/usr/sbin:/sbin") is not None
