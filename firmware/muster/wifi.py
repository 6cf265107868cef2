# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The one owner of the WLAN: scans, joins, leaves, and says in outcome codes what went wrong.
# Written for what an ESP32 really answers, see the comments.

import asyncio
import time

from micropython import const

from . import log
from .errors import DeviceError

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
_IDLE = (1000, 1001, _GOT_IP)  # idle shows up in the middle of successful attempts


class Wifi:
    # wlan: the station interface. set_country: called with two letters before the radio starts.
    def __init__(self, wlan, set_country):
        self._wlan = wlan
        self._set_country = set_country
        self._is_static = False

    def start(self, country=None):
        try:
            if country:
                self._set_country(country)
            self._wlan.active(True)
            # The driver would reconnect for ever and blur status(); Muster retries by itself.
            self._wlan.config(reconnects=0)
            # Power saving adds up to a second to each answer and drops multicast.
            self._wlan.config(pm=self._wlan.PM_NONE)
        except (OSError, RuntimeError, ValueError) as e:
            raise _refused(e)

    # For the long run, once a device is registered.
    def save_power(self):
        try:
            self._wlan.config(pm=self._wlan.PM_PERFORMANCE)
        except (OSError, RuntimeError, ValueError) as e:
            log.warn("wifi", "no power saving: %s" % e)

    def stop(self):
        try:
            self._wlan.active(False)
        except (OSError, RuntimeError) as e:
            log.warn("wifi", "stop: %s" % e)

    def is_joined(self):
        return self._wlan.isconnected()

    # (address, netmask, gateway, dns) on the joined network.
    def address(self):
        return self._wlan.ifconfig()

    # [(ssid bytes, channel, rssi, auth)], each network once, strongest first.
    def scan(self):
        found = self._scan() or self._scan()  # an empty list is also how the driver says "failed"
        strongest: dict = {}
        for ssid, _, channel, rssi, auth, _ in found:
            if ssid and (ssid not in strongest or strongest[ssid][2] < rssi):
                strongest[ssid] = (ssid, channel, rssi, auth)
        return sorted(strongest.values(), key=lambda seen: -seen[2])

    def _scan(self):
        try:
            return self._wlan.scan()
        except OSError as e:
            log.warn("wifi", "scan failed: %s" % e)
            return []

    # Joins within the time or raises what stood in the way. ssid: bytes or str; psk None: open.
    async def join(self, ssid, psk, timeout_ms, ip="dhcp"):
        deadline = time.ticks_add(time.ticks_ms(), timeout_ms)
        for attempt in range(_ATTEMPTS):
            try:
                await self._attempt(ssid, psk, deadline, ip)
                return
            except (OSError, RuntimeError, ValueError) as e:
                raise _refused(e)
            except DeviceError as e:
                # One refusal may be a frame that was lost; the same twice is an answer.
                is_last = attempt == _ATTEMPTS - 1
                if is_last or time.ticks_diff(deadline, time.ticks_ms()) <= 0:
                    raise
                log.warn("wifi", "%s, once more" % e)

    async def _attempt(self, ssid, psk, deadline, ip):
        await self.leave()
        self._set_address(ip)
        stale = await self._wipe_reason(ssid, psk)
        began = time.ticks_ms()
        await self._connect(ssid, psk)
        while not self._wlan.isconnected():
            status = self._wlan.status()
            now = time.ticks_ms()
            if status != stale or time.ticks_diff(now, began) > _STALE_MS:
                stale = None
                if status not in _IDLE:
                    raise _failure(status, ssid)
            if time.ticks_diff(deadline, now) <= 0:
                raise self._timed_out(ssid)
            await asyncio.sleep_ms(_POLL_MS)
        log.info("wifi", "joined %s as %s" % (printable(ssid), self._wlan.ifconfig()[0]))

    # Leaving in the middle of an attempt makes ASSOC_LEAVE the newest reason, which status() shows
    # as idle, and wipes the former failure out. Returns what status() shows then; if it still is
    # an error, only _STALE_MS can tell it from news.
    async def _wipe_reason(self, ssid, psk):
        if self._wlan.status() not in _IDLE:
            await self._connect(ssid, psk)
            await self.leave()
            await asyncio.sleep_ms(_POLL_MS)
        return self._wlan.status()

    async def _connect(self, ssid, psk):
        for _ in range(3):
            try:
                return self._wlan.connect(ssid, psk)
            except OSError as e:
                # "Wifi Internal Error": the driver is still busy with what went before.
                log.warn("wifi", "connect refused: %s" % e)
                self._wlan.disconnect()
                await asyncio.sleep_ms(_POLL_MS)
        raise DeviceError("wifi_timeout", "the radio refuses to connect to %s" % printable(ssid))

    # Associated but without an address: DHCP is what fails. rssi needs no address.
    def _timed_out(self, ssid):
        try:
            rssi = self._wlan.status("rssi")
        except OSError:
            return DeviceError("wifi_timeout", "%s does not answer" % printable(ssid))
        text = "%s gives no address, signal %s dBm" % (printable(ssid), rssi)
        return DeviceError("dhcp_timeout", text)

    def _set_address(self, ip):
        if ip != "dhcp":
            self._wlan.ifconfig(_quad_and_mask(ip["address"]) + (ip["gateway"], ip["dns"]))
        elif self._is_static:  # starting DHCP twice is an error on an ESP32
            self._wlan.ifconfig("dhcp")
        self._is_static = ip != "dhcp"

    # Off the network, if on one; the radio stays on.
    async def leave(self):
        try:
            self._wlan.disconnect()
        except OSError:  # "Wifi Not Started": there is nothing to leave
            return
        deadline = time.ticks_add(time.ticks_ms(), _LEAVE_MS)
        while self._wlan.isconnected() and time.ticks_diff(deadline, time.ticks_ms()) > 0:
            await asyncio.sleep_ms(_POLL_MS)


# The driver says most things as OSError with a text, the rest as RuntimeError.
def _refused(e):
    return DeviceError("wifi_timeout", "the radio says: %s" % e)


# "192.168.1.7/24" as ("192.168.1.7", "255.255.255.0").
def _quad_and_mask(address):
    quad, prefix = address.split("/")
    bits = (0xFFFFFFFF << (32 - int(prefix))) & 0xFFFFFFFF
    return quad, ".".join([str(bits >> shift & 255) for shift in (24, 16, 8, 0)])


def _failure(status, ssid):
    code = _REASONS.get(status, "wifi_timeout")
    return DeviceError(code, "%s: status %d" % (printable(ssid), status))


# An SSID is any 32 bytes; what is not plain text is shown as hexadecimal escapes.
def printable(ssid):
    if isinstance(ssid, str):
        ssid = ssid.encode()
    return "".join([chr(c) if 32 <= c < 127 and c != 92 else "\\x%02x" % c for c in ssid])
