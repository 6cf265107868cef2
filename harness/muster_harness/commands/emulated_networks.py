# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The networks around the board of `muster-unit emulate`, and the rig file with the offer."""

import json
import os
import secrets
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from muster_harness.air.air import AccessPoint, Air
from muster_harness.errors import AirError, HarnessError

PREFIX = "MUSTER-"
OPERATIONAL = "factory"
_ADDRESS = "127.77.1.1"  # the same each time, so that servers are set up once
_SHAPE = "ssid, and perhaps password, channel, rssi, hidden, address, beside"


@dataclass(frozen=True)
class Networks:
    """Access points as they were wanted, and as they are. What was wanted holds passwords."""

    wanted: list[dict[str, Any]]
    made: list[AccessPoint]

    @property
    def onboarding(self) -> tuple[dict[str, Any], AccessPoint] | None:
        """The first one that devices look for, if there is one."""
        return next((pair for pair in self._pairs() if pair[0]["ssid"].startswith(PREFIX)), None)

    @property
    def operational(self) -> tuple[dict[str, Any], AccessPoint] | None:
        """The first one of another name, if there is one."""
        pairs = self._pairs()
        return next((pair for pair in pairs if not pair[0]["ssid"].startswith(PREFIX)), None)

    def _pairs(self) -> list[tuple[dict[str, Any], AccessPoint]]:
        return list(zip(self.wanted, self.made, strict=True))


def put_up(air: Air, file: str | None, address: str | None, password_file: Path) -> Networks:
    """Make the networks of a file, or three that every board can play with.

    Of these, one router has two names, as with a guest network: whoever listens at its address is
    reached through both. `password_file` keeps the password of the second name for the next time.
    Raises HarnessError for a file that describes none, AirError for an address that is taken.
    """
    if file is not None:
        wanted = _described(file)
        return Networks(wanted, _made(air, wanted))
    password = _kept_password(password_file)
    if address is not None:
        wanted = _usual(address, password)
        return Networks(wanted, _made(air, wanted))
    try:
        wanted = _usual(_ADDRESS, password)
        return Networks(wanted, _made(air, wanted))
    except AirError:  # another board is emulated there
        wanted = _usual(None, password)
        return Networks(wanted, _made(air, wanted))


def _usual(address: str | None, password: str) -> list[dict[str, Any]]:
    first = f"{PREFIX}emulated"
    return [
        {"ssid": first, "channel": 6, "rssi": -48, "address": address},
        {"ssid": OPERATIONAL, "password": password, "channel": 11, "rssi": -55, "beside": first},
        {"ssid": "neighbour", "password": secrets.token_urlsafe(12), "rssi": -81},
    ]


def _described(file: str) -> list[dict[str, Any]]:
    try:
        points = tomllib.loads(Path(file).read_text())["access_point"]
        return [{"ssid": str(point["ssid"]), **point} for point in points]
    except (OSError, ValueError, KeyError, TypeError) as e:
        raise HarnessError(
            f"{file} describes no networks ({e}); it has one [[access_point]] for each, with "
            f"{_SHAPE}"
        ) from None


def _made(air: Air, wanted: list[dict[str, Any]]) -> list[AccessPoint]:
    made: dict[str, AccessPoint] = {}
    for point in wanted:
        facts = dict(point)
        try:
            if "beside" in facts:
                facts["beside"] = made[facts["beside"]]
            made[point["ssid"]] = air.add_access_point(**facts)
        except (TypeError, KeyError) as e:
            raise HarnessError(
                f"an access point cannot be made so ({e}); it has {_SHAPE}"
            ) from None
    return [made[point["ssid"]] for point in wanted]


def _kept_password(file: Path) -> str:
    try:
        return file.read_text().strip()
    except FileNotFoundError:
        password = secrets.token_urlsafe(12)
        _write_private(file, password + "\n")
        return password


def write_rig(path: Path, ports: dict[str, str], control: Path, networks: Networks) -> None:
    """Write what the board offers while it runs, for its owner alone."""
    lines = ["# What muster-unit emulate offers while it runs."]
    for name, port in ports.items():
        lines += ["", f"[unit.{name}]", f"port = {json.dumps(port)}"]
        for part, on, off in (("button", "down", "up"), ("power", "on", "off")):
            lines.append(f"{part} = {{ on = {_say(on, control)}, off = {_say(off, control)} }}")
    for name, pair in (
        ("onboarding", networks.onboarding),
        ("operational", networks.operational),
    ):
        if pair is not None:
            point, access_point = pair
            lines += ["", f"[network.{name}]", f"ssid = {json.dumps(point['ssid'])}"]
            if point.get("password"):
                lines.append(f"password = {json.dumps(point['password'])}")
            lines.append(f'address = "{access_point.gateway}"  # servers listen here')
    path.unlink(missing_ok=True)
    _write_private(path, "\n".join(lines) + "\n")


def _write_private(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)


def _say(word: str, control: Path) -> str:
    return json.dumps(["sh", "-c", f'echo {word} > "$0"', str(control)])
