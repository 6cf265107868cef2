# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The device's oneM2M platform, over HTTP with JSON (oneM2M TS-0004, TS-0009).

import asyncio
import gc

from micropython import const

from .compact import dumps
from .errors import DeviceError
from .http import Connection
from .modules import borrow, borrowed
from .onem2m import CREATED, DATA, NO_CONTENT, NOT_FOUND, refused

_TIMEOUT_MS = const(10000)
_LARGEST_ANSWER = const(4096)
_ROOM = const(640)  # bytes; a reading takes some 400, the timeline 500 and more
_INSTANCE = const(4)
_SHORTEST_S = const(60)  # between two renewals, whatever the platform answers


# Makes the platform that a configuration names. settings: config["platform"].
def platform_for(settings, device_id, clock):
    is_secure, host, port, base = borrow("url", "split", settings["url"])
    tls = None
    if is_secure:
        from .tls import Trust

        tls = Trust(settings["ca"], clock)
    connection = Connection(host, port, tls, "platform_unreachable", _ROOM)
    return Platform(settings, device_id, connection, base)


class Platform:
    # settings: config["platform"]. base: the path that its URL ends with.
    def __init__(self, settings, device_id, connection, base):
        self.label = "muster:" + device_id
        self.settings = settings
        self.originator = settings["originator"]
        self._base = base
        self._connection = connection
        self.lock = asyncio.Lock()  # application and life share the one connection
        self._request_id = 0
        # (Unix time at which the registration wants to be renewed, its whole life in seconds);
        # None if it has no end or nobody has asked yet.
        self.lease = None

    # Makes step 9. Idempotent, see registration.py. To be awaited, as all of these. Raises
    # DeviceError.
    def register(self):
        return self._alone(self._register)

    # Renews the registration when its time has come. now: Unix time.
    async def renew(self, now):
        if self.lease and now >= self.lease[0]:
            await self._alone(self._renew, now + self.lease[1])
            if self.lease:  # its clock may be behind, or its leases hardly last
                self.lease = max(self.lease[0], now + _SHORTEST_S), self.lease[1]

    # Publishes text, compact JSON. A platform that has forgotten the device gets it anew. Raises
    # DeviceError.
    def publish(self, container, text):
        return self._alone(self._publish, container, text)

    def publish_reading(self, reading):
        return self.publish(DATA, dumps(reading))

    # Does one thing at a time, on a connection that ends with it.
    async def _alone(self, deed, *arguments):
        async with self.lock:
            try:
                await deed(*arguments)
            finally:
                self._connection.close()

    def _register(self):
        gc.collect()
        return borrowed("registration", "register", self)

    def _renew(self, until):
        gc.collect()
        return borrowed("registration", "renew", self, until)

    async def _publish(self, container, text):
        rsc, _ = await self._instance(container, text)
        if rsc == NOT_FOUND:
            await self._register()
            rsc, _ = await self._instance(container, text)
        if rsc != CREATED:
            raise refused("publish", rsc)

    def _instance(self, container, text):
        body = {"m2m:cin": {"cnf": "application/json:0", "con": text}}
        path = "%s/%s/%s%s" % (self.settings["cse"], self.originator, container, NO_CONTENT)
        return self.request("POST", path, _INSTANCE, body)

    # Sends a request and returns (response status code, body), to be awaited. What the message is
    # made of is let go before the wait. Raises DeviceError.
    def request(self, method, path, kind=None, body=None):
        self._request_id += 1
        headers = {
            "X-M2M-Origin": self.originator,
            "X-M2M-RI": str(self._request_id),
            "X-M2M-RVI": self.settings["rvi"],
            "Accept": "application/json",
        }
        if self.settings.get("token"):
            headers["Authorization"] = "Bearer " + self.settings["token"]
        if body:
            headers["Content-Type"] = "application/json" + (";ty=%d" % kind if kind else "")
        content = dumps(body).encode() if body else None
        path = "%s/%s" % (self._base, path)
        return self._exchange([self._connection.message(method, path, headers, content)])

    async def _exchange(self, message):
        exchanging = self._connection.exchange(message, _TIMEOUT_MS, _LARGEST_ANSWER)
        status, headers, answer = await exchanging
        if status >= 500 and status != 501:
            raise DeviceError("platform_unreachable", "the platform says HTTP %d" % status)
        return headers.get("x-m2m-rsc", "HTTP %d" % status), answer
