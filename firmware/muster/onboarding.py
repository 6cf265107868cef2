# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Steps 3 to 6: find the configuration server over a temporary network and ask it.

import time

from micropython import const

from . import log
from .actions import WAIT
from .errors import DeviceError
from .modules import borrow, borrowed
from .radio import printable
from .timeline import FIND, RECEIVE, SEEK

_NETWORK_MS = const(20000)  # the most that one network may cost before a server has answered
_BROWSE_MS = const(3000)
_PORT = const(8421)
_PATIENCE_MS = const(600000)  # "wait" is heeded so long, then the networks are searched again
_LONGEST_WAIT_S = const(300)
_OPEN = const(0)
_REMEMBERED = const(16)  # failures are counted of so many: anybody can invent servers
_REPORTED = const(8)
_BY_NAME = const(1)  # of places.py
_GUESS = const(2)


class Onboarding:
    # life: lifecycle.py's. facts: {"prefix", "ssid", "psk"} of the build.
    def __init__(self, life, facts):
        self._life = life
        self._timeline = life.timeline
        self._prefix = facts["prefix"].encode()
        self._ssid = facts["ssid"].encode() if facts["ssid"] else None
        self._psk = facts["psk"]
        self._failures: dict = {}  # server: how often; those that failed go last

    # Returns the first authenticated directive other than "wait", or None if the button wants
    # something else; raises the failure that came farthest when all have been tried. The device
    # stays on the network that answered. state is what the device reports itself to be.
    async def seek(self, state):
        self._timeline.begin(SEEK)
        wifi = self._life.wifi
        wifi.start()
        seen = wifi.scan()
        places = borrow("places", "for_onboarding", self._prefix, self._ssid, seen, wifi.failures)
        count = len({point[0] for point in seen if point[0]})
        seen = borrow("scanning", "networks", seen, _REPORTED)
        self._timeline.done("%d networks seen, %d to try" % (count, len(places)))
        self._timeline.begin(FIND)
        error: DeviceError | None = None
        is_absent = False  # the network that is named in the build and does not tell its name
        for place in places:
            if is_absent and place[2] == _GUESS:
                continue
            try:
                return await self._ask_on(place, seen, state)
            except DeviceError as e:
                e.step = e.step or self._timeline.step or RECEIVE
                log.warn("seek", "%s: %s" % (printable(place[0]), e))
                if place[2] == _BY_NAME and e.code == "wifi_no_ap":
                    is_absent = True
                elif error is None or (e.step or 0) >= (error.step or 0):
                    error = e  # the attempt that came farthest tells most
        raise error or self._nowhere()

    def _nowhere(self):
        text = "no network named %s…" % self._prefix.decode()
        if self._ssid:
            text += " or %s" % printable(self._ssid)
        error = DeviceError("wifi_no_ap", text)
        error.step = FIND
        return error

    def _count_failure(self, server):
        if len(self._failures) >= _REMEMBERED:
            self._failures.clear()
        self._failures[server] = self._failures.get(server, 0) + 1

    # place: as of places.py.
    async def _ask_on(self, place, seen, state):
        self._timeline.begin(FIND)
        deadline = time.ticks_add(time.ticks_ms(), _NETWORK_MS)
        ssid = place[0]
        psk = None if place[4] == _OPEN else self._psk
        await self._life.wifi.join(place, psk, _NETWORK_MS)
        error = None
        servers, guess = await self._servers()
        for i, server in enumerate(servers):
            # What is left, shared: one that stalls must not use up the time of the true one.
            left_ms = time.ticks_diff(deadline, time.ticks_ms()) // (len(servers) - i)
            try:
                return await self._ask(server, printable(ssid), seen, state, max(left_ms, 1))
            except DeviceError as e:
                log.warn("seek", "%s:%d: %s" % (server[0], server[1], e))
                self._count_failure(server)
                if server != guess or e.code != "server_unreachable":
                    error = e
        if error is None:
            text = "no configuration server on %s" % printable(ssid)
            error = DeviceError("discovery_none", text)
            error.step = FIND
        raise error

    # Returns what DNS-SD found, then the gateway; those that failed go last. Then the gateway
    # again if it is no more than a guess: when it does not answer either, there is no server.
    async def _servers(self):
        address, netmask, gateway, _ = self._life.wifi.address()
        found = await borrowed("dnssd", "browse", address, netmask, _BROWSE_MS)
        guess = None if found else (gateway, _PORT)
        if (gateway, _PORT) not in found:
            found.append((gateway, _PORT))
        order = [(self._failures.get(server, 0), i) for i, server in enumerate(found)]
        return [found[i] for _, i in sorted(order)], guess

    # Asks until the answer is something to do; the button cuts each wait short.
    async def _ask(self, server, ssid, seen, state, wait_ms):
        if self._timeline.step != FIND:  # another server of this network failed before
            self._timeline.begin(FIND)
        self._timeline.done("%s:%d on %s" % (server[0], server[1], ssid))
        key = borrow("keys", "key_of", self._life.config, True)
        began = time.ticks_ms()
        while time.ticks_diff(time.ticks_ms(), began) < _PATIENCE_MS:
            answer = await self._life.contact.ask_at(server, key, seen, state, wait_ms)
            self._life.wifi.prove()
            wait_ms = _NETWORK_MS
            if answer.action != WAIT:
                return answer
            await self._life.button.pause(max(1, min(answer.retry_s, _LONGEST_WAIT_S)) * 1000)
            if self._life.button.took_short():
                self._life.led.identify()
            elif self._life.button.is_pressed():
                return None
        raise DeviceError("timeout", "the configuration server has nothing for this device yet")
