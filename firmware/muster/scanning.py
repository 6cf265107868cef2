# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# What is in the air. Loaded by wifi.py when it is needed.

from . import log


# Returns [(ssid bytes, bssid bytes, channel, rssi, auth)], each access point once, strongest
# first. One that hides its network's name has b"" for it.
def scan(wlan):
    found = _scan(wlan) or _scan(wlan)  # an empty list is also how the driver says "failed"
    points = [(ssid, bssid, channel, rssi, auth) for ssid, bssid, channel, rssi, auth, _ in found]
    points.sort(key=lambda point: -point[3])
    return points


def _scan(wlan):
    try:
        return wlan.scan()
    except OSError as e:
        log.warn("wifi", "scan failed: %s" % e)
        return []


# Returns [(ssid, channel, rssi, auth)] of the strongest networks in a scan, each name once.
def networks(points, most):
    found: list = []
    names: list = []
    for ssid, _, channel, rssi, auth in points:
        if ssid and ssid not in names and len(found) < most:
            names.append(ssid)
            found.append((ssid, channel, rssi, auth))
    return found
