# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The access point side of a board's Wi-Fi driver: while active, a network of the air.

One radio serves both roles: the access point is on the channel that the station side has
joined, and hears nothing while the station side scans. Lives as long as the chip has power.
"""

import time
from collections.abc import Callable
from typing import Any

from muster_harness.air.access_point import AccessPoint
from muster_harness.air.address_range import AddressRange
from muster_harness.air.admission import OPEN
from muster_harness.air.air import Air
from muster_harness.air.local_network import LocalNetwork
from muster_harness.control import Refusal

_PERSONAL = (2, 3, 4, 6, 7)  # WPA, WPA2, WPA_WPA2, WPA3, WPA2_WPA3
_SHORTEST_KEY = 8


class SoftAP:
    """One board's access point. Everything runs in the board's loop."""

    def __init__(self, air: Air, name: str, mac: bytes, on_link: Callable[[str | None], None]):
        self._air = air
        self._name = name
        self.mac = mac
        self._on_link = on_link  # told the board's own address in its network, or None
        self._point: AccessPoint | None = None
        self._joined_channel: Callable[[], int | None] = lambda: None
        self.is_active = False
        self.restart()

    def restart(self) -> None:
        """Be off, with the driver's defaults, as after power-on."""
        self.activate(False)
        self.settings: dict[str, Any] = {
            "ssid": f"ESP_{self.mac[3:].hex().upper()}".encode(),
            "hidden": False,
            "security": OPEN,
            "key": b"",
            "channel": 1,
            "max_clients": 4,
        }

    def close(self) -> None:
        """Take the network out of the air for good."""
        self.activate(False)
        if self._point is not None:
            self._air.take_down(self._point)
            self._point = None

    @property
    def network(self) -> AccessPoint | None:
        """The network that it has put into the air, None while it is off."""
        return self._point if self.is_active else None

    @property
    def address(self) -> str | None:
        """The board's own address in its network, None while it is off."""
        return self._point.gateway if self._point is not None and self.is_active else None

    def follow(self, joined_channel: Callable[[], int | None]) -> None:
        """One radio: the channel of the network that the station side is in wins, if it is."""
        self._joined_channel = joined_channel

    def activate(self, is_active: bool) -> None:
        if is_active == self.is_active:
            return
        if is_active:
            point = self._point or self._made()
            self.is_active = True
            self._apply(point)
            point.is_up = True
            self._on_link(point.gateway)
            self._air.trace_event(self._name, "ap", ssid=point.ssid, channel=point.channel)
        elif self._point is not None:
            self._point.is_up = self.is_active = False
            self._air.trace_event(self._name, "ap off", ssid=self._point.ssid)
            self._on_link(None)
            self._disconnect_all(self._point)

    def configure(self, values: dict[str, Any]) -> None:
        """Take several settings at once, all or none, as esp_wifi_set_config does.

        Raises Refusal if it does not take the security, the key or the channel.
        """
        new = {**self.settings, **values}
        if new["security"] != OPEN:
            if new["security"] not in _PERSONAL:  # WEP and the enterprise modes
                raise Refusal("RuntimeError", "Wifi Unknown Error 0x0102")
            if len(new["key"]) < _SHORTEST_KEY:
                raise Refusal("OSError", "Wifi Invalid Password")
        if not 1 <= new["channel"] <= 14:
            raise Refusal("RuntimeError", "Wifi Unknown Error 0x0102")
        is_new = new != self.settings
        self.settings = new
        if is_new and self.is_active and self._point is not None:
            self._apply(self._point)
            self._disconnect_all(self._point)

    def move_to(self, channel: int) -> None:
        """The station side works on another channel now; stations do not follow."""
        if self._point is not None and self.is_active and self._point.channel != channel:
            self._point.tune(channel)
            self._disconnect_all(self._point)

    def be_deaf(self, for_s: float) -> None:
        """The station side scans: nobody is heard on the own channel meanwhile."""
        if self._point is not None:
            self._point.deaf_until = max(self._point.deaf_until, time.monotonic() + for_s)

    def stations(self) -> list[tuple[str, str | None]]:
        """MAC in hex and address of everybody who is associated."""
        if self._point is None or not self.is_active:
            return []
        return [(s.mac.hex(), s.address) for s in list(self._point.stations)]

    def _made(self) -> AccessPoint:
        lan = LocalNetwork(AddressRange())
        self._point = point = AccessPoint(self._air.trace_event, b"", lan)
        point.bssid = self.mac
        point.owner = self._name
        point.out_of_range.add(self._name)  # a radio does not hear itself
        self._air.put_up(point)
        return point

    def _apply(self, point: AccessPoint) -> None:
        wanted = self.settings
        point.set_up(
            wanted["ssid"],
            password=wanted["key"].decode() if wanted["security"] != OPEN else None,
            security=wanted["security"],
            hidden=wanted["hidden"],
            most_stations=wanted["max_clients"],
        )
        point.tune(self._joined_channel() or wanted["channel"])

    def _disconnect_all(self, point: AccessPoint) -> None:
        for station in list(point.stations):
            station.will_lose(point)
