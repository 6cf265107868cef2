# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# network: names and numbers of the ESP32; every state is the supervisor's, so that it survives
# a soft reset as the radio does.

from binascii import hexlify, unhexlify

import host_link
import on_demand
from arguments import at_most, data, integer, items, real, text

STA_IF = 0
AP_IF = 1
MODE_11B = 1
MODE_11G = 2
MODE_11N = 4
MODE_LR = 8
AUTH_OPEN = 0
AUTH_WEP = 1
AUTH_WPA_PSK = 2
AUTH_WPA2_PSK = 3
AUTH_WPA_WPA2_PSK = 4
AUTH_WPA2_ENTERPRISE = 5
AUTH_WPA3_PSK = 6
AUTH_WPA2_WPA3_PSK = 7
AUTH_WAPI_PSK = 8
AUTH_OWE = 9
AUTH_WPA3_ENT_192 = 10
AUTH_WPA3_EXT_PSK = 11
AUTH_WPA3_EXT_PSK_MIXED_MODE = 12
AUTH_MAX = 17
STAT_IDLE = 1000
STAT_CONNECTING = 1001
STAT_GOT_IP = 1010
STAT_BEACON_TIMEOUT = 200
STAT_NO_AP_FOUND = 201
STAT_WRONG_PASSWORD = 202
STAT_ASSOC_FAIL = 203
STAT_CONNECT_FAIL = 203
STAT_HANDSHAKE_TIMEOUT = 204
STAT_NO_AP_FOUND_W_COMPATIBLE_SECURITY = 210
STAT_NO_AP_FOUND_IN_AUTHMODE_THRESHOLD = 211
STAT_NO_AP_FOUND_IN_RSSI_THRESHOLD = 212

_interfaces = {}
_NUMBERS = (
    "security",
    "authmode",
    "channel",
    "bandwidth",
    "max_clients",
    "reconnects",
    "protocol",
    "pm",
)


class WLAN:
    IF_STA = 0
    IF_AP = 1
    SEC_OPEN = 0
    SEC_WEP = 1
    SEC_WPA = 2
    SEC_WPA2 = 3
    SEC_WPA_WPA2 = 4
    SEC_WPA2_ENT = 5
    SEC_WPA3 = 6
    SEC_WPA2_WPA3 = 7
    SEC_WAPI = 8
    SEC_OWE = 9
    SEC_WPA3_ENT_192 = 10
    SEC_WPA3_EXT_PSK = 11
    SEC_WPA3_EXT_PSK_MIXED_MODE = 12
    SEC_DPP = 13
    SEC_WPA3_ENT = 14
    SEC_WPA2_WPA3_ENT = 15
    SEC_WPA_ENT = 16
    PM_NONE = 0
    PM_PERFORMANCE = 1
    PM_POWERSAVE = 2
    PROTOCOL_DEFAULT = 7
    PROTOCOL_LR = 8
    BANDWIDTH_20 = 1
    BANDWIDTH_40 = 2
    BANDWIDTH_80 = 3
    BANDWIDTH_160 = 4
    BANDWIDTH_80_80 = 5

    # One object per interface, as in the port; a bad id is the supervisor's ValueError.
    def __new__(cls, interface=0):
        interface = integer(interface)
        if interface not in _interfaces:
            host_link.request("wlan", interface, "open", host_link.heap_used())
            self = object.__new__(cls)
            self._interface = interface
            _interfaces[interface] = self
        return _interfaces[interface]

    def __init__(self, interface=0):
        pass

    def _ask(self, verb, *args):
        return host_link.request("wlan", self._interface, verb, *args)

    def active(self, *is_active):
        at_most(1, is_active, 1)
        return self._ask("active", *map(bool, is_active))

    def connect(self, *target, bssid=None):
        if len(target) > 2:
            raise TypeError("extra positional arguments given")
        if not target:
            return self._ask("connect", None, None, None)
        ssid, key = (b"" if part is None else data(part) for part in (target + (None,))[:2])
        if bssid is not None and len(data(bssid)) != 6:
            raise ValueError
        return self._ask(
            "connect",
            hexlify(ssid[:32]),
            hexlify(key[:64]),
            bssid and hexlify(data(bssid)),
        )

    def disconnect(self):
        return self._ask("disconnect")

    def status(self, *param):
        at_most(1, param, 1)
        if param and param[0] not in ("rssi", "stations"):
            raise ValueError("unknown status param")
        value = self._ask("status", *param)
        if param and param[0] == "stations":
            return [(unhexlify(mac), address) for mac, address in value]
        return value

    def scan(self):
        return [
            (unhexlify(ssid), unhexlify(bssid), channel, rssi, security, False)
            for ssid, bssid, channel, rssi, security in self._ask("scan")
        ]

    def isconnected(self):
        return self._ask("isconnected")

    def config(self, *names, **values):
        if names and values:
            raise TypeError("either pos or kw args are allowed")
        if not values:
            if len(names) != 1:
                raise TypeError("can query only one param")
            name = text(names[0])
            if name in ("hostname", "dhcp_hostname") and self._interface == 0:
                return hostname()
            value = self._ask("config", name)
            if name == "mac":
                return unhexlify(value)
            return unhexlify(value).decode() if name in ("ssid", "essid") else value
        for name, value in list(values.items()):
            if name in ("hostname", "dhcp_hostname"):
                hostname(values.pop(name))
            elif name == "mac":
                if len(memoryview(value)) != 6:
                    raise ValueError("invalid buffer length")
                values[name] = hexlify(memoryview(value))
            elif name in ("ssid", "essid"):
                values[name] = hexlify(data(value)[:32])
            elif name in ("key", "password"):
                values[name] = hexlify(data(value)[:63])
            elif name == "hidden":
                values[name] = bool(value)
            elif name == "txpower":
                values[name] = real(value)
            elif name in _NUMBERS:
                values[name] = integer(value)
        return self._ask("set_config", values)

    def ifconfig(self, *config):
        if not config:
            return tuple(self._ask("ifconfig"))
        at_most(1, config, 1)
        if not isinstance(config[0], (tuple, list)):
            return self._ask("set_ifconfig", text(config[0]))
        address, mask, gateway, dns = items(config[0], 4)
        mask = mask if isinstance(mask, int) else text(mask)
        return self._ask("set_ifconfig", [text(address), mask, text(gateway), text(dns)])

    def ipconfig(self, *names, **values):
        if values:
            if names:
                raise TypeError("can't specify pos and kw args")
            for name, value in values.items():
                values[name] = _parsed(name, value)
            return self._ask("set_ipconfig", values)
        if len(names) != 1:
            raise TypeError("must query one param")
        value = self._ask("ipconfig", text(names[0]))
        return tuple(value) if isinstance(value, list) else value


def _parsed(name, value):
    if name == "dhcp4":
        return bool(value)
    if name == "addr4" and not isinstance(value, str):
        return None if value is None else [text(part) for part in items(value, 2)]
    return text(value)


def hostname(*name):
    if not name:
        return host_link.request("network", "hostname")
    at_most(1, name)
    if len(data(name[0])) > 32:
        raise ValueError
    return host_link.request("network", "hostname", text(name[0]))


def country(*code):
    if not code:
        return host_link.request("network", "country")
    at_most(1, code)
    if len(data(code[0])) != 2:
        raise ValueError
    return host_link.request("network", "country", text(code[0]))


def ipconfig(*names, **values):
    if values:
        if names:
            raise TypeError("can't specify pos and kw args")
        for name, value in values.items():
            if name != "dns":
                raise ValueError("unexpected key")
            host_link.request("network", "dns", text(value))
        return None
    if len(names) != 1:
        raise TypeError("must query one param")
    if names[0] != "dns":
        raise ValueError("unexpected key")
    return host_link.request("network", "dns")


def phy_mode(*mode):
    return None


# Ethernet takes no heap until a program asks for it.
def __getattr__(name):
    if name == "LAN" or name[:4] in ("ETH_", "PHY_"):
        found = globals()[name] = getattr(on_demand.load("lan"), name)
        return found
    raise AttributeError("'module' object has no attribute '%s'" % name)
