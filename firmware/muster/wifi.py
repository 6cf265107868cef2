# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The one owner of the WLAN: scans, joins, leaves, and says in outcome codes what went wrong.
# Written for what an ESP32 really answers, see the comments.

from . import log
from .modules import borrow, borrowed


class Wifi:
    # wlan: the station interface. set_country: called with two letters before the radio starts;
    # an ESP32 only stores them.
    def __init__(self, wlan, set_country):
        self._wlan = wlan
        self._set_country = set_country
        self.is_ours = False  # this life has brought the interface up; for powering.py
        self.failures: list = []  # the access points that have failed lately, see places.py
        # Where it has joined last, see joining.py. Until that has led somewhere it counts as
        # failed: it may be ill, or a stranger's of the same name, and others go before it.
        self.place = None
        self.is_proved = False
        self.has_others = False  # as far as the scan before could tell

    # Brings the radio up, if it is not, see powering.py. Raises DeviceError.
    def start(self, country=None):
        if country:
            self._set_country(country)
        borrow("powering", "start", self, self._wlan)

    # Saves power, for the long run, once a device is registered.
    def save_power(self):
        self.prove()
        borrow("powering", "save", self._wlan)

    def stop(self):
        self.is_ours = False
        try:
            self._wlan.active(False)
        except (OSError, RuntimeError) as e:
            log.warn("wifi", "stop: %s" % e)

    def is_joined(self):
        return self._wlan.isconnected()

    # Returns (address, netmask, gateway, dns) on the joined network.
    def address(self):
        return self._wlan.ifconfig()

    # Returns [(ssid bytes, bssid, channel, rssi, auth)], each access point once, strongest first.
    def scan(self):
        return borrow("scanning", "scan", self._wlan)

    # Somebody who matters has answered over this access point.
    def prove(self):
        if self.place and not self.is_proved:
            borrow("places", "forgive", self.place, self.failures)
            self.is_proved = True

    # It does not lead to the platform. Tells whether it is time to join anew: there are others,
    # or may be by now.
    def doubt(self):
        was_proved, self.is_proved = self.is_proved, False
        return borrow("places", "doubt", self.place, self.failures, was_proved) or self.has_others

    # What follows is to be awaited, see modules.borrowed.

    # Joins at a place (as of places.py) within the time, or raises DeviceError with what stood in
    # the way. psk None: open.
    def join(self, place, psk, timeout_ms, ip="dhcp"):
        return borrowed(
            "joining association places", "join", self, self._wlan, place, psk, timeout_ms, ip
        )

    # Makes step 8, see joining.py.
    def join_one_of(self, config, timeline):
        return borrowed(
            "joining association places", "join_one_of", config, self, self._wlan, timeline
        )

    # Leaves the network, if on one; the radio stays on.
    def leave(self):
        return borrowed("association", "leave", self._wlan)
