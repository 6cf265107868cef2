# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# One try to join one access point, with what an ESP32 really answers. Loaded when it is needed.

import asyncio
import time

from micropython import const

from . import log
from .errors import DeviceError
from .radio import printable
from .room import joins

_GOT_IP = const(1010)
_POLL_MS = const(50)
_LEAVE_MS = const(2000)

# A failed attempt's reason stays in status() until the next address is got, so what status()
# showed when an attempt began is not news before one full scan (2.45 s) has passed.
_STALE_MS = const(2500)
_IDLE = const((1000, 1001, _GOT_IP))  # idle shows up in the middle of successful attempts


# Tries within the time; bssid None: whichever of that name the driver finds first. Returns None
# once there is an address, or the driver's reason for its no. Raises DeviceError if nothing or no
# address comes, and OSError, RuntimeError or ValueError as the driver does. The network is left
# again however this fails, or is cancelled: while a driver connects it refuses all settings
# (ESP-IDF 5.5, esp-idf#17686) and all scans.
async def attempt(wlan, ssid, psk, bssid, limit_ms, ip):
    is_joined = False
    try:
        reason = await _attempt(wlan, ssid, psk, bssid, limit_ms, ip)
        is_joined = reason is None
        return reason
    finally:
        if not is_joined:
            _let_go(wlan)


async def _attempt(wlan, ssid, psk, bssid, limit_ms, ip):
    deadline = time.ticks_add(time.ticks_ms(), limit_ms)
    await leave(wlan)
    _set_address(wlan, ip)
    stale = await _wipe_reason(wlan, ssid, psk, bssid)
    began = time.ticks_ms()
    await _connect(wlan, ssid, psk, bssid)
    while not wlan.isconnected():
        status = wlan.status()
        now = time.ticks_ms()
        if status != stale or time.ticks_diff(now, began) > _STALE_MS:
            stale = None
            if status not in _IDLE:
                return status
        if time.ticks_diff(deadline, now) <= 0:
            raise _timed_out(wlan, ssid)
        await asyncio.sleep_ms(_POLL_MS)
    return None


# Off the network, if on one; the radio stays on.
async def leave(wlan):
    if not _let_go(wlan):
        return
    deadline = time.ticks_add(time.ticks_ms(), _LEAVE_MS)
    while wlan.isconnected() and time.ticks_diff(deadline, time.ticks_ms()) > 0:
        await asyncio.sleep_ms(_POLL_MS)


# Returns whether there was anything to let go.
def _let_go(wlan):
    try:
        wlan.disconnect()
        return True
    except (OSError, RuntimeError) as e:  # "Wifi Not Started"
        log.info("wifi", "nothing to leave: %s" % e)
        return False


# Leaving in the middle of an attempt makes ASSOC_LEAVE the newest reason, which status() shows
# as idle, and wipes the former failure out. Returns what status() shows then; if it still is
# an error, only _STALE_MS can tell it from news.
async def _wipe_reason(wlan, ssid, psk, bssid):
    if wlan.status() not in _IDLE:
        await _connect(wlan, ssid, psk, bssid)
        await leave(wlan)
        await asyncio.sleep_ms(_POLL_MS)
    return wlan.status()


async def _connect(wlan, ssid, psk, bssid):
    joins()
    for _ in range(3):
        try:
            return wlan.connect(ssid, psk, bssid=bssid)
        except OSError as e:
            # "Wifi Internal Error": the driver is still busy with what went before.
            log.warn("wifi", "connect refused: %s" % e)
            wlan.disconnect()
            await asyncio.sleep_ms(_POLL_MS)
    raise DeviceError("wifi_timeout", "the radio refuses to connect to %s" % printable(ssid))


# Associated but without an address: DHCP is what fails. rssi needs no address.
def _timed_out(wlan, ssid):
    try:
        rssi = wlan.status("rssi")
    except OSError:
        return DeviceError("wifi_timeout", "%s does not answer" % printable(ssid))
    text = "%s gives no address, signal %s dBm" % (printable(ssid), rssi)
    return DeviceError("dhcp_timeout", text)


# Asks the interface what it has: it may have been set before this start of the program.
def _set_address(wlan, ip):
    if ip != "dhcp":
        wlan.ifconfig(_quad_and_mask(ip["address"]) + (ip["gateway"], ip["dns"]))
    elif not wlan.ipconfig("dhcp4"):
        try:
            wlan.ifconfig("dhcp")
        except (
            RuntimeError
        ) as e:  # an ESP32 tells of a DHCP client that runs, not of a willing one
            log.info("wifi", "dhcp: %s" % e)


# "192.168.1.7/24" as ("192.168.1.7", "255.255.255.0").
def _quad_and_mask(address):
    quad, prefix = address.split("/")
    bits = (0xFFFFFFFF << (32 - int(prefix))) & 0xFFFFFFFF
    return quad, ".".join([str(bits >> shift & 255) for shift in (24, 16, 8, 0)])
