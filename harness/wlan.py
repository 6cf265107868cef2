# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`network.WLAN` as the program asks it: verbs of the two interfaces, answered from the radio."""

import ipaddress
from typing import Any

from harness.control import Refusal
from harness.radio import Radio

_STA = 0
_AP = 1
_NOWHERE = "0.0.0.0"  # noqa: S104


class WLAN:
    """Answers `["wlan", interface, verb, ...]`; state other than the radio's is kept here."""

    def __init__(self, radio: Radio, mac: bytes, hostname: str):
        self._radio = radio
        self._mac = mac
        self._default_hostname = hostname
        self.restart()

    def restart(self) -> None:
        """As after power-on."""
        self._radio.restart()
        self.hostname = self._default_hostname
        self.country = "XX"
        ap_mac = self._mac[:5] + bytes([self._mac[5] + 1 & 0xFF])
        shared = {"channel": 1, "bandwidth": 2, "txpower": 20.0, "protocol": 7, "pm": 1}
        self._settings: tuple[dict[str, Any], dict[str, Any]] = (
            {**shared, "mac": self._mac.hex(), "max_clients": 0},
            {
                **shared,
                "mac": ap_mac.hex(),
                "ssid": f"ESP_{ap_mac[3:].hex().upper()}".encode().hex(),
                "hidden": False,
                "security": 0,
                "key": "",
                "max_clients": 4,
            },
        )
        self._ap_is_active = False

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
            self._ap_is_active = is_active
        return self._ap_is_active

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
            return []
        raise Refusal("ValueError", "unknown status param")

    def _scan(self, interface: int) -> Any:
        return self._radio.scan()

    def _isconnected(self, interface: int) -> bool:
        return interface == _STA and self._radio.address is not None

    def _config(self, interface: int, name: str) -> Any:
        name = {"essid": "ssid", "authmode": "security"}.get(name, name)
        if name == "reconnects":
            self._require(interface, _STA)
            return self._radio.reconnects - 1
        if name == "ssid" and interface == _STA:
            return self._radio.ssid.hex()
        if name == "channel" and self._radio.joined is not None:
            return self._radio.joined.channel
        if name == "ifname":
            return ("st1", "ap2")[interface]
        if name in ("hostname", "dhcp_hostname"):
            self._require(interface, _STA)
            return self.hostname
        settings = self._settings[interface]
        if name in ("key", "password") or name not in settings and name not in self._settings[_AP]:
            raise Refusal("ValueError", "unknown config param")
        if name not in settings:
            raise Refusal("OSError", "AP required")
        return settings[name]

    def _set_config(self, interface: int, name: str, value: Any) -> None:
        name = {"essid": "ssid", "authmode": "security", "password": "key"}.get(name, name)
        if name == "reconnects":
            self._require(interface, _STA)
            self._radio.reconnects = 0 if value == -1 else value + 1
            return
        if name not in self._settings[_AP]:
            raise Refusal("ValueError", "unknown config param")
        if name in ("ssid", "hidden", "security", "key", "max_clients"):
            self._require(interface, _AP)
        self._settings[interface][name] = value

    def _ifconfig(self, interface: int) -> tuple[str, str, str, str]:
        if interface == _AP:
            if not self._ap_is_active:
                return (_NOWHERE,) * 4
            return ("192.168.4.1", "255.255.255.0", "192.168.4.1", _NOWHERE)
        radio = self._radio
        return (radio.address or _NOWHERE, radio.netmask, radio.gateway, radio.dns)

    def _set_ifconfig(self, interface: int, config: str | list[Any]) -> None:
        if isinstance(config, str):
            if config != "dhcp" or interface != _STA:
                raise Refusal("ValueError", "invalid arguments")
            self._radio.use_static(None)
            return
        if len(config) != 4:
            raise Refusal("ValueError", f"requested length 4 but object has length {len(config)}")
        if isinstance(config[1], int):
            config[1] = str(ipaddress.ip_network(f"0.0.0.0/{config[1]}").netmask)
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
                        netmask = str(ipaddress.ip_network(f"0.0.0.0/{bits}").netmask)
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

    def _take_static(self, interface: int, config: tuple[str, str, str, str]) -> None:
        if interface == _STA:
            self._radio.use_static(config)

    def _require(self, interface: int, wanted: int) -> None:
        if interface != wanted:
            raise Refusal("OSError", ("STA required", "AP required")[wanted])


def _address(text: str, complaint: str = "invalid arguments") -> str:
    try:
        return str(ipaddress.IPv4Address(text))
    except ValueError:
        raise Refusal("ValueError", complaint) from None
