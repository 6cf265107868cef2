# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What the radio says, in words for people: its refusals, and the names of networks.

from .errors import DeviceError


# Makes the DeviceError of an exception of the radio's driver, which says most things as OSError
# with a text, the rest as RuntimeError.
def refused(e):
    return DeviceError("wifi_timeout", "the radio says: %s" % e)


# Shows an SSID, which is any 32 bytes: what is not plain text becomes hexadecimal escapes.
def printable(ssid):
    if isinstance(ssid, str):
        ssid = ssid.encode()
    for c in ssid:
        if not 32 <= c < 127 or c == 92:
            break
    else:  # at once: MicroPython keeps each character that it has ever seen alone, for good
        return str(ssid, "utf-8")
    return "".join([chr(c) if 32 <= c < 127 and c != 92 else "\\x%02x" % c for c in ssid])
