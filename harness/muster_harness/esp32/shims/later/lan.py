# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# network.LAN: Ethernet, at the end of a cable that the test plugs.

from binascii import hexlify, unhexlify

import host_link
from arguments import at_most, integer, items, text
from pin import number

ETH_INITIALIZED = 0
ETH_STARTED = 1
ETH_STOPPED = 2
ETH_CONNECTED = 3
ETH_DISCONNECTED = 4
ETH_GOT_IP = 5
PHY_LAN8710 = 0
PHY_LAN8720 = 1
PHY_IP101 = 2
PHY_RTL8201 = 3
PHY_DP83848 = 4
PHY_KSZ8041 = 5
PHY_KSZ8081 = 6
PHY_LAN8670 = 7
PHY_GENERIC = 8
PHY_KSZ8851SNL = 100
PHY_DM9051 = 101
PHY_W5500 = 102

_PHYS = tuple(range(9)) + (100, 101, 102)
_one = None


def _ask(verb, *arguments):
    return host_link.request("lan", verb, *arguments)


class LAN:
    def __new__(cls, *id, **settings):
        global _one
        if _one is None:
            _check(*id, **settings)
            _one = object.__new__(cls)
        return _one

    def __init__(self, id=None, **settings):
        pass

    def active(self, *is_active):
        at_most(1, is_active, 1)
        return _ask("active", *map(bool, is_active))

    def status(self):
        return _ask("status")

    def isconnected(self):
        return _ask("isconnected")

    def config(self, *names, **values):
        if names and values:
            raise TypeError("either pos or kw args are allowed")
        if values:
            if "mac" in values:
                if len(memoryview(values["mac"])) != 6:
                    raise ValueError("invalid buffer length")
                _ask("mac", hexlify(memoryview(values["mac"])))
            return None
        if len(names) != 1:
            raise TypeError("can query only one param")
        if names[0] == "mac":
            return unhexlify(_ask("mac"))
        if names[0] == "ifname":
            return "en1"
        raise ValueError("unknown config param")

    def ifconfig(self, *config):
        if not config:
            return tuple(_ask("ifconfig"))
        at_most(1, config, 1)
        if not isinstance(config[0], (tuple, list)):
            if text(config[0]) != "dhcp":
                raise ValueError("invalid arguments")
            return _ask("set_ifconfig", None)
        return _ask("set_ifconfig", [text(part) for part in items(config[0], 4)])

    def ipconfig(self, name):
        address, mask, gateway, _ = _ask("ifconfig")
        if name == "addr4":
            return address, mask
        if name == "gw4":
            return gateway
        raise ValueError("unexpected key")


def _check(
    id=None,
    *,
    phy_addr,
    phy_type,
    mdc=None,
    mdio=None,
    reset=None,
    power=None,
    spi=None,
    cs=None,
    int=None,
    ref_clk_mode=-1,
    ref_clk=None,
):
    if id is not None and integer(id) != 0:
        raise ValueError("invalid LAN interface identifier")
    for pin in (mdc, mdio, reset, power, cs, int, ref_clk):
        if pin is not None:
            number(pin)
    if not 0 <= integer(phy_addr) <= 31:
        raise ValueError("invalid phy address")
    if integer(phy_type) not in _PHYS:
        raise ValueError("invalid phy type")
    if phy_type < 100 and (mdc is None or mdio is None):
        raise ValueError("mdc and mdio must be specified")
