# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Joining one network, with what an ESP32 really answers. Loaded by wifi.py when it is needed.

import asyncio
import time

from micropython import const

from . import log
from .errors import DeviceError
from .radio import printable, refused
from .timeline import JOIN

_NETWORK_MS = const(30000)
_GOT_IP = const(1010)
_POLL_MS = const(50)
_LEAVE_MS = const(2000)
_ATTEMPTS = const(2)

# A failed attempt's reason stays in status() until the next address is got, so what status()
# showed when an attempt began is not news before one full scan (2.45 s) has passed.
_STALE_MS = const(2500)

# status() after a failed attempt, see modnetwork_globals.h and esp_wifi_types_generic.h. A wrong
# password is seen as any of four: AUTH_EXPIRE, 4WAY_HANDSHAKE_TIMEOUT, WRONG_PASSWORD (which
# includes CONNECTION_FAIL) and HANDSHAKE_TIMEOUT.
_REASONS = {
    2: "wifi_auth",
    15: "wifi_auth",
    202: "wifi_auth",
    204: "wifi_auth",
    201: "wifi_no_ap",
    212: "wifi_no_ap",
    210: "wifi_security",
    211: "wifi_security",
}
_IDLE = const((1000, 1001, _GOT_IP))  # idle shows up in the middle of successful attempts


# Step 8: joins the first of the configuration's networks that lets it in; raises the last one's
# failure.
async def join_one_of(config, wifi, wlan, timeline):
    timeline.begin(JOIN)
    wifi.start(config["country"])
    error = DeviceError("config_invalid", "the configuration names no network")
    for network in config["networks"]:
        ssid = network["ssid"]
        ip = network.get("ip", "dhcp")
        try:
            await join(wifi, wlan, ssid, network.get("psk"), _NETWORK_MS, ip)
            timeline.done("%s as %s" % (printable(ssid), wifi.address()[0]))
            return
        except DeviceError as e:
            log.warn("join", e)
            error = e
    raise error


# Joins within the time or raises what stood in the way. ssid: bytes or str; psk None: open.
async def join(wifi, wlan, ssid, psk, timeout_ms, ip="dhcp"):
    deadline = time.ticks_add(time.ticks_ms(), timeout_ms)
    for attempt in range(_ATTEMPTS):
        try:
            await _attempt(wifi, wlan, ssid, psk, deadline, ip)
            return
        except (OSError, RuntimeError, ValueError) as e:
            raise refused(e)
        except DeviceError as e:
            # One refusal may be a frame that was lost; the same twice is an answer.
            is_last = attempt == _ATTEMPTS - 1
            if is_last or time.ticks_diff(deadline, time.ticks_ms()) <= 0:
                raise
            log.warn("wifi", "%s, once more" % e)


async def _attempt(wifi, wlan, ssid, psk, deadline, ip):
    await leave(wlan)
    _set_address(wifi, wlan, ip)
    stale = await _wipe_reason(wifi, wlan, ssid, psk)
    began = time.ticks_ms()
    await _connect(wlan, ssid, psk)
    while not wlan.isconnected():
        status = wlan.status()
        now = time.ticks_ms()
        if status != stale or time.ticks_diff(now, began) > _STALE_MS:
            stale = None
            if status not in _IDLE:
                raise _failure(status, ssid)
        if time.ticks_diff(deadline, now) <= 0:
            raise _timed_out(wlan, ssid)
        await asyncio.sleep_ms(_POLL_MS)
    log.info("wifi", "joined %s as %s" % (printable(ssid), wlan.ifconfig()[0]))


# Leaves the network, if on one; the radio stays on.
async def leave(wlan):
    try:
        wlan.disconnect()
    except OSError:  # "Wifi Not Started": there is nothing to leave
        return
    deadline = time.ticks_add(time.ticks_ms(), _LEAVE_MS)
    while wlan.isconnected() and time.ticks_diff(deadline, time.ticks_ms()) > 0:
        await asyncio.sleep_ms(_POLL_MS)


# Leaving in the middle of an attempt makes ASSOC_LEAVE the newest reason, which status() shows
# as idle, and wipes the former failure out. Returns what status() shows then; if it still is
# an error, only _STALE_MS can tell it from news.
async def _wipe_reason(wifi, wlan, ssid, psk):
    if wlan.status() not in _IDLE:
        await _connect(wlan, ssid, psk)
        await leave(wlan)
        await asyncio.sleep_ms(_POLL_MS)
    return wlan.status()


async def _connect(wlan, ssid, psk):
    for _ in range(3):
        try:
            return wlan.connect(ssid, psk)
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


def _set_address(wifi, wlan, ip):
    if ip != "dhcp":
        wlan.ifconfig(_quad_and_mask(ip["address"]) + (ip["gateway"], ip["dns"]))
    elif wifi.is_static:  # starting DHCP twice is an error on an ESP32
        wlan.ifconfig("dhcp")
    wifi.is_static = ip != "dhcp"


# "192.168.1.7/24" as ("192.168.1.7", "255.255.255.0").
def _quad_and_mask(address):
    quad, prefix = address.split("/")
    bits = (0xFFFFFFFF << (32 - int(prefix))) & 0xFFFFFFFF
    return quad, ".".join([str(bits >> shift & 255) for shift in (24, 16, 8, 0)])


def _failure(status, ssid):
    code = _REASONS.get(status, "wifi_timeout")
    return DeviceError(code, "%s: status %d" % (printable(ssid), status))
