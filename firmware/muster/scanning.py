# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What is in the air. Loaded by wifi.py when it is needed.

from . import log


# Returns [(ssid bytes, channel, rssi, auth)], each network once, strongest first.
def scan(wlan):
    found = _scan(wlan) or _scan(wlan)  # an empty list is also how the driver says "failed"
    strongest: dict = {}
    for ssid, _, channel, rssi, auth, _ in found:
        if ssid and (ssid not in strongest or strongest[ssid][2] < rssi):
            strongest[ssid] = (ssid, channel, rssi, auth)
    return sorted(strongest.values(), key=lambda seen: -seen[2])


def _scan(wlan):
    try:
        return wlan.scan()
    except OSError as e:
        log.warn("wifi", "scan failed: %s" % e)
        return []
