# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Joining a network at one of its access points: which are tried, how often, and for how long.
# Loaded by wifi.py when it is needed.

import asyncio
import binascii
import time

from micropython import const

from . import log
from .association import attempt
from .errors import DeviceError
from .modules import borrow
from .places import fail, of, rank
from .radio import printable, refused
from .timeline import JOIN

_TOGETHER_MS = const(45000)  # for all networks of a configuration: less than the shortest trial
_LONGEST_MS = const(30000)  # for one try, if there is nothing else to try
_SHORTEST_MS = const(10000)
# Band steering refuses the first two or three tries of a station, in any words.
_TRIES = const(6)
_PAUSE_MS = const(100)  # after the first refusal, then twice and four times as long
_HEARD = const(0)  # kinds of places, as of places.py
_BY_NAME = const(1)
_GUESS = const(2)
_ABSENT = const((201, 212))
_SECURITY = const((210, 211))


# One place to try (places.py), how, and what came of it: the driver's reasons, or an error.
class Target:
    def __init__(self, place, psk, ip, order):
        self.ssid, self.bssid, self.kind, self.rssi, _ = place
        self.psk = psk
        self.ip = ip
        self.order = order
        self.said: list = []
        self.error: DeviceError | None = None

    def is_absent(self):
        return bool(self.said) and self.said[-1] in _ABSENT

    # Nothing more is to be expected of it now.
    def is_done(self):
        if self.error:
            return True
        if self.is_absent():
            return len(self.said) > 1 or self.kind != _HEARD
        return len(self.said) >= (2 if self.said[-1] in _SECURITY else _TRIES)


# Makes step 8: joins one of the configuration's networks, in their order, each at any of its
# access points; those that have failed lately go last. Raises a DeviceError with every cause.
async def join_one_of(config, wifi, wlan, timeline):
    timeline.begin(JOIN)
    if not config["networks"]:
        raise DeviceError("wifi_no_ap", "no network is configured, nor given at the setup page")
    wifi.start(config["country"])
    targets = _targets(config["networks"], wifi.scan(), wifi.failures)
    found = await _join(targets, wifi, wlan, _TOGETHER_MS)
    # What was not heard, nor hides, is no other.
    wifi.has_others = any(t is not found and t.rssi is not None for t in targets)
    timeline.done("%s as %s" % (printable(found.ssid), wifi.address()[0]))


def _targets(networks, seen, failures):
    found: list = []
    for n, network in enumerate(networks):
        may_hide = bool(network.get("hidden"))
        for place in of(name(network), may_hide, seen):
            is_absent = place[2] == _BY_NAME and not may_hide
            order = (rank(place, failures), is_absent, n, place[2], -(place[3] or 0))
            found.append(Target(place, network.get("psk"), network.get("ip", "dhcp"), order))
    return sorted(found, key=lambda target: target.order)


# Returns a network's name, which is bytes, of a valid configuration.
def name(network):
    if "ssid" in network:
        return network["ssid"].encode()
    return binascii.a2b_base64(network["ssid_b64"])


# Joins within the time, or raises DeviceError with what stood in the way. place: as of places.py.
async def join(wifi, wlan, place, psk, timeout_ms, ip="dhcp"):
    await _join([Target(place, psk, ip, None)], wifi, wlan, timeout_ms)


# Returns the target that was joined. In turns, so that one that refuses for a while, or for ever,
# costs the others no time.
async def _join(targets, wifi, wlan, timeout_ms):
    end = time.ticks_add(time.ticks_ms(), timeout_ms)
    share_ms = max(_SHORTEST_MS, min(_LONGEST_MS, timeout_ms // len(targets)))
    left = list(targets)
    for turn in range(_TRIES):
        if turn:
            await asyncio.sleep_ms(_PAUSE_MS << min(turn - 1, 2))
        for target in list(left):
            left_ms = time.ticks_diff(end, time.ticks_ms())
            if left_ms <= 0 or target not in left:
                continue
            if await _try(target, wifi, wlan, min(share_ms, left_ms)):
                return target
            if target.is_done():
                left.remove(target)
                if target.kind == _BY_NAME and target.is_absent():
                    # No access point has answered to the name, so none of those that hide theirs.
                    left = [t for t in left if t.kind != _GUESS or t.ssid != target.ssid]
        if not left:
            break
    raise borrow("causes", "told", targets)


# Makes one try; whether it is joined.
async def _try(target, wifi, wlan, limit_ms):
    place = target.bssid or target.ssid
    text = printable(target.ssid)
    try:
        reason = await attempt(wlan, target.ssid, target.psk, target.bssid, limit_ms, target.ip)
    except (OSError, RuntimeError, ValueError) as e:  # the driver's fault, nobody else's
        target.error = refused(e)
        log.warn("wifi", target.error)
        return False
    except DeviceError as e:
        target.error = e
        log.warn("wifi", e)
    else:
        if reason is None:
            wifi.place = place
            wifi.is_proved = False
            fail(place, wifi.failures)
            log.info("wifi", "joined %s as %s" % (text, wifi.address()[0]))
            return True
        target.said.append(reason)
        at = target.bssid.hex() if target.bssid else "any place"
        log.warn("wifi", "%s at %s: status %d" % (text, at, reason))
        if reason in _ABSENT:
            return False
    fail(place, wifi.failures)
    return False
