# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The URLs that a device understands: few forms, and none that it could misread."""

import re
from ipaddress import AddressValueError, IPv4Address

from muster_server.api.bounds import PORT

DEVICE_URL_WANTED = (
    'wanted the form "https://host:8422/path": http or https in small letters, a host name or '
    "IPv4 address, and port and path if any"
)

_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_URL = re.compile(
    rf"https?://(?P<host>{_LABEL}(?:\.{_LABEL})*)(?::(?P<port>[0-9]{{1,5}}))?"
    r"(?:/[A-Za-z0-9._~/-]*)?"
)


def is_device_url(text: str) -> bool:
    """Tell whether devices read a URL as it is meant.

    It has no user, query, fragment, escape or IPv6 address.
    """
    found = _URL.fullmatch(text)
    low, high = PORT
    if not found or not low <= int(found["port"] or 80) <= high or len(found["host"]) > 253:
        return False
    # What ends in a number is an address, or a mistyped one.
    return not found["host"].rpartition(".")[2].isdigit() or is_ipv4(found["host"])


def is_ipv4(text: str) -> bool:
    """Tell whether a text is an address like "192.168.1.7"."""
    try:
        IPv4Address(text)
    except AddressValueError:
        return False
    return True
