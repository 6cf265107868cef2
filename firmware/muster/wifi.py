# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The one owner of the WLAN: scans, joins, leaves, and says in outcome codes what went wrong.
# Written for what an ESP32 really answers, see the comments.

from . import log
from .modules import borrow, borrowed
from .radio import refused


class Wifi:
    # wlan: the station interface. set_country: called with two letters before the radio starts.
    def __init__(self, wlan, set_country):
        self._wlan = wlan
        self._set_country = set_country
        self.is_static = False

    def start(self, country=None):
        try:
            if country:
                self._set_country(country)
            self._wlan.active(True)
            # From ESP-IDF 5.5 on no setting is taken while a cancelled attempt goes on.
            if not self._wlan.isconnected():
                self._wlan.disconnect()
            # The driver would reconnect for ever and blur status(); Muster retries by itself.
            self._wlan.config(reconnects=0)
            # Power saving adds up to a second to each answer and drops multicast.
            self._wlan.config(pm=self._wlan.PM_NONE)
        except (OSError, RuntimeError, ValueError) as e:
            raise refused(e)

    # Saves power, for the long run, once a device is registered.
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

    # Returns (address, netmask, gateway, dns) on the joined network.
    def address(self):
        return self._wlan.ifconfig()

    # Returns [(ssid bytes, channel, rssi, auth)], each network once, strongest first.
    def scan(self):
        return borrow("scanning", "scan", self._wlan)

    # What follows is to be awaited, see modules.borrowed.

    # Joins within the time, or raises DeviceError with what stood in the way. ssid: bytes or str;
    # psk None: open.
    def join(self, ssid, psk, timeout_ms, ip="dhcp"):
        return borrowed("joining", "join", self, self._wlan, ssid, psk, timeout_ms, ip)

    # Makes step 8, see joining.py.
    def join_one_of(self, config, timeline):
        return borrowed("joining", "join_one_of", config, self, self._wlan, timeline)

    # Leaves the network, if on one; the radio stays on.
    def leave(self):
        return borrowed("joining", "leave", self._wlan)
