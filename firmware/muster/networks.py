# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What the networks of a valid configuration look like to the device: configuration.py's other
# half, so that never both are in RAM with the configuration.

from .schema import Fields


# Checks config["networks"]. Raises DeviceError config_invalid with the path of what is wrong.
def check(networks):
    for i, document in enumerate(networks):
        network = Fields(document, "config.networks[%d]" % i)
        _ssid(network)
        _psk(network)
        network.take("hidden", bool, default=False)
        if document.get("ip") != "dhcp":
            _address(network.fields("ip"))


# A name is bytes: as text, or in base64 if it is none.
def _ssid(network):
    field = "ssid_b64" if "ssid_b64" in network.document else "ssid"
    if field == "ssid":
        raw = network.take(field, str).encode()
    elif "ssid" in network.document:
        raise network.invalid(field, "wanted ssid or ssid_b64, not both")
    else:
        raw = network.base64(field)
    if not 1 <= len(raw) <= 32:
        raise network.invalid(field, "wanted 1 to 32 bytes")


def _psk(network):
    psk = network.take("psk", str, nullable=True)
    if psk is None:
        return
    # 64 hexadecimal digits are the key itself, 8 to 63 printable characters a passphrase.
    raw = psk.encode()
    is_key = len(raw) == 64 and all(c in b"0123456789abcdefABCDEF" for c in raw)
    is_passphrase = 8 <= len(raw) <= 63 and all(32 <= c <= 126 for c in raw)
    if not is_key and not is_passphrase:
        raise network.invalid("psk", "wanted 8 to 63 printable characters or 64 hex digits")


def _address(ip):
    address = ip.take("address", str)
    quad, _, prefix = address.partition("/")
    if not _is_ipv4(quad) or not prefix.isdigit() or not 1 <= int(prefix) <= 32:
        raise ip.invalid("address", 'wanted the form "192.168.1.7/24"')
    for name in ("gateway", "dns"):
        if not _is_ipv4(ip.take(name, str)):
            raise ip.invalid(name, "wanted an IPv4 address")


def _is_ipv4(text):
    parts = text.split(".")
    return len(parts) == 4 and all(p.isdigit() and len(p) <= 3 and int(p) <= 255 for p in parts)
