# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`network.WLAN` as the program asks it: verbs of the two interfaces, answered from the radio."""

import ipaddress
from collections.abc import Callable
from typing import Any

from muster_harness.air.access_point import AccessPoint
from muster_harness.air.dhcp_server import NOWHERE
from muster_harness.control import Refusal, machine_word
from muster_harness.esp32.radio.driver import Radio
from muster_harness.esp32.radio.soft_ap import SoftAP

_STA = 0
_AP = 1
_DHCP_ALREADY_STARTED = "Wifi Unknown Error 0x5004"  # ESP_ERR_ESP_NETIF_DHCP_ALREADY_STARTED
_AP_SETTINGS = ("ssid", "hidden", "security", "max_clients")
_NUMBERS = ("reconnects", "security", "max_clients", "channel", "bandwidth", "protocol", "pm")


class WLAN:
    """Answers `["wlan", interface, verb, ...]`; state other than the radio's is kept here."""

    def __init__(self, radio: Radio, soft_ap: SoftAP, hostname: str):
        self._radio = radio
        self._soft_ap = soft_ap
        self._default_hostname = hostname
        self.wired: Callable[[], tuple[AccessPoint, str] | None] = lambda: None  # by Ethernet
        self.restart()

    def restart(self) -> None:
        """Begin anew, as after power-on."""
        self._radio.restart()
        self._soft_ap.restart()
        self.hostname = self._default_hostname
        self.country = "XX"
        shared = {"bandwidth": 2, "txpower": 20.0, "protocol": 7, "pm": 1}
        self._settings: tuple[dict[str, Any], dict[str, Any]] = (
            {**shared, "mac": self._radio.mac.hex(), "channel": 1, "max_clients": 0},
            {**shared, "mac": self._soft_ap.mac.hex()},
        )

    def own_network(self) -> tuple[AccessPoint, str] | None:
        """Return the network that the board is in, the joined one first, and its address there."""
        return self._in_network(lambda point: True)

    def network_of(self, address: str) -> tuple[AccessPoint, str] | None:
        """Return the network that an address belongs to, and the board's own address there."""
        radio = self._radio
        return self._in_network(
            lambda point: (
                address in point.addresses
                and (point is not radio.joined or radio.can_reach(address))
            )
        )

    def interfaces(self) -> dict[int, tuple[bytes, int]]:
        """Address and channel of each interface that is active, for what needs no network."""
        active = {_STA: self._radio.is_active, _AP: self._soft_ap.is_active}
        return {
            interface: (bytes.fromhex(self._settings[interface]["mac"]), self._channel(interface))
            for interface, is_active in active.items()
            if is_active
        }

    def _in_network(
        self, is_wanted: Callable[[AccessPoint], bool]
    ) -> tuple[AccessPoint, str] | None:
        for point, own in (
            (self._radio.joined, self._radio.address),
            (self._soft_ap.network, self._soft_ap.address),
        ):
            if point is None or own is None or own not in point.addresses:
                continue
            if is_wanted(point):
                return point, own
        wired = self.wired()
        return wired if wired is not None and is_wanted(wired[0]) else None

    # -- the module's own functions

    def network(self, what: str, *value: str) -> str | None:
        if what == "dns":
            if not value:
                return self._radio.dns
            self._radio.dns = _address(value[0], "invalid arguments as dns server")
        elif not value:
            return str(getattr(self, what))
        else:
            setattr(self, what, value[0])
        return None

    # -- the class

    def ask(self, interface: int, verb: str, *arguments: Any) -> Any:
        """Do what a method of the board's WLAN object asks.

        Raises Refusal if the interface is neither station nor access point, or the driver refuses.
        """
        if interface not in (_STA, _AP):
            raise Refusal("ValueError", "invalid WLAN interface identifier")
        return getattr(self, f"_{verb}")(interface, *arguments)

    def _open(self, interface: int) -> None:
        pass

    def _active(self, interface: int, is_active: bool | None = None) -> bool:
        if interface == _STA:
            if is_active is not None:
                self._radio.activate(is_active)
            return self._radio.is_active
        if is_active is not None:
            self._soft_ap.activate(is_active)
        return self._soft_ap.is_active

    def _connect(
        self, interface: int, ssid: str | None, key: str | None, bssid: str | None
    ) -> None:
        if ssid is None:
            self._radio.connect(None)
            return
        point = bytes.fromhex(bssid) if bssid else None
        self._radio.connect((bytes.fromhex(ssid), bytes.fromhex(key or ""), point))

    def _disconnect(self, interface: int) -> None:
        self._radio.disconnect()

    def _status(self, interface: int, param: str | None = None) -> Any:
        if param is None:
            return self._radio.status() if interface == _STA else None
        if param == "rssi":
            self._require(interface, _STA)
            return self._radio.rssi()
        if param == "stations":
            self._require(interface, _AP)
            if not self._soft_ap.is_active:
                raise Refusal("OSError", "Wifi Invalid Mode")
            return self._soft_ap.stations()
        raise Refusal("ValueError", "unknown status param")

    def _scan(self, interface: int) -> Any:
        return self._radio.scan()

    def _isconnected(self, interface: int) -> bool:
        if interface == _STA:
            return self._radio.is_connected
        return bool(self._soft_ap.stations())

    def _config(self, interface: int, name: str) -> Any:
        name = {"essid": "ssid", "authmode": "security"}.get(name, name)
        if name == "reconnects":
            self._require(interface, _STA)
            return self._radio.reconnects - 1
        if name == "ssid" and interface == _STA:
            return self._radio.ssid.hex()
        if name == "channel":
            return self._channel(interface)
        if name == "ifname":
            return ("st1", "ap2")[interface]
        if name in ("hostname", "dhcp_hostname"):
            self._require(interface, _STA)
            return self.hostname
        if name in _AP_SETTINGS and name not in self._settings[interface]:
            self._require(interface, _AP)
            value = self._soft_ap.settings[name]
            return value.hex() if name == "ssid" else value
        if name not in self._settings[interface]:
            raise Refusal("ValueError", "unknown config param")
        return self._settings[interface][name]

    def _channel(self, interface: int) -> Any:
        if self._radio.joined is not None:
            return self._radio.joined.channel
        if self._soft_ap.network is not None:
            return self._soft_ap.network.channel
        chosen = self._settings[_STA] if interface == _STA else self._soft_ap.settings
        return chosen["channel"]

    def _set_config(self, interface: int, values: dict[str, Any]) -> None:
        for_ap: dict[str, Any] = {}
        for given, value in values.items():
            name = {"essid": "ssid", "authmode": "security", "password": "key"}.get(given, given)
            if name in _NUMBERS:
                machine_word(value)
            if name == "reconnects":
                self._require(interface, _STA)
                self._radio.reconnects = 0 if value == -1 else value + 1
            elif name in (*_AP_SETTINGS, "key") or name == "channel" and interface == _AP:
                self._require(interface, _AP)
                for_ap[name] = bytes.fromhex(value) if name in ("ssid", "key") else value
            elif name in self._settings[interface]:
                # the driver counts the power in quarters of a dBm
                self._settings[interface][name] = (
                    int(value * 4) / 4 if name == "txpower" else value
                )
            else:
                raise Refusal("ValueError", "unknown config param")
        # Whatever was set, the port ends with esp_wifi_set_config; the rest has been done by then.
        if interface == _STA:
            self._radio.require_settable()
        if for_ap:
            if self._radio.joined is not None:
                for_ap.pop("channel", None)  # one radio: the joined network's channel wins
            self._soft_ap.configure(for_ap)

    def _ifconfig(self, interface: int) -> tuple[str, str, str, str]:
        if interface == _AP:
            address = self._soft_ap.address
            if address is None:
                return (NOWHERE,) * 4
            return (address, "255.255.255.0", address, self._radio.dns)
        radio = self._radio
        return (radio.address or NOWHERE, radio.netmask, radio.gateway, radio.dns)

    def _set_ifconfig(self, interface: int, config: str | list[Any]) -> None:
        if isinstance(config, str):
            if config != "dhcp" or interface != _STA:
                raise Refusal("ValueError", "invalid arguments")
            if self._radio.has_dhcp_running:
                raise Refusal("RuntimeError", _DHCP_ALREADY_STARTED)
            self._radio.use_static(None)
            return
        if len(config) != 4:
            raise Refusal("ValueError", f"requested length 4 but object has length {len(config)}")
        if isinstance(config[1], int):
            config[1] = _netmask(str(config[1]))
        address, netmask, gateway, dns = (_address(str(part)) for part in config)
        self._take_static(interface, (address, netmask, gateway, dns))

    def _ipconfig(self, interface: int, name: str) -> Any:
        address, netmask, gateway, _ = self._ifconfig(interface)
        if name == "addr4":
            return [address, netmask]
        if name == "gw4":
            return gateway
        if name == "dhcp4" and interface == _STA:
            return self._radio.static is None
        raise Refusal("ValueError", "unexpected key")

    def _set_ipconfig(self, interface: int, values: dict[str, Any]) -> None:
        address, netmask, gateway, dns = self._radio.static or self._ifconfig(interface)
        is_touched = False
        for name, value in values.items():
            if name == "dhcp4" and interface == _STA:
                if value:
                    self._radio.use_static(None)
            elif name == "addr4":
                is_touched = True
                if isinstance(value, str):
                    if "/" in value:
                        value, _, bits = value.partition("/")
                        netmask = _netmask(bits)
                    address = _address(value)
                elif value is not None:
                    address, netmask = (_address(part) for part in value)
            elif name == "gw4":
                is_touched = True
                gateway = _address(value)
            else:
                raise Refusal("ValueError", "unexpected key")
        if is_touched:
            self._take_static(interface, (address, netmask, gateway, dns))

    # The access point keeps the address that its range gives it, whatever a program asks for.
    def _take_static(self, interface: int, config: tuple[str, str, str, str]) -> None:
        if interface == _STA:
            self._radio.use_static(config)

    def _require(self, interface: int, wanted: int) -> None:
        if interface != wanted:
            raise Refusal("OSError", ("STA required", "AP required")[wanted])


def _netmask(bits: str) -> str:
    try:
        return str(ipaddress.ip_network(f"0.0.0.0/{bits}").netmask)
    except ValueError:
        raise Refusal("ValueError", "invalid arguments") from None


def _address(text: str, complaint: str = "invalid arguments") -> str:
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError:
        raise Refusal("ValueError", complaint) from None
